// The C++ library at large: containers, algorithms, streams, strings, regex, static objects' life.
#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <numeric>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

struct Static {
    const char *name;
    explicit Static(const char *n) : name(n) { std::printf("made %s\n", name); }
    ~Static() { std::printf("gone %s\n", name); }
};

Static first("first"), second("second");

Static &lazy()
{
    static Static object("lazy");
    return object;
}

}  // namespace

int main()
{
    std::cout << "main\n";
    std::mt19937_64 random(42);
    std::vector<unsigned long> numbers(20000);
    std::generate(numbers.begin(), numbers.end(), [&] { return random() % 100000; });
    std::sort(numbers.begin(), numbers.end());
    std::cout << numbers.front() << ' ' << numbers[10000] << ' ' << numbers.back() << ' '
              << std::accumulate(numbers.begin(), numbers.end(), 0UL) << '\n';
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    std::cout << "distinct " << numbers.size() << ", sum of a set "
              << std::set<unsigned long>(numbers.begin(), numbers.end()).size() << '\n';

    std::map<std::string, int> words;
    std::istringstream text("the cat and the dog and the bird");
    for (std::string word; text >> word;)
        words[word]++;
    for (const auto &[word, count] : words)
        std::cout << word << '=' << count << ' ';
    std::cout << '\n';
    std::unordered_map<int, std::string> table;
    for (int i = 0; i < 1000; i++)
        table[i * 7919 % 1009] += std::to_string(i);
    std::cout << table.size() << ' ' << table[500] << '\n';

    std::cout << std::fixed << std::setprecision(3) << 3.14159 << ' ' << std::scientific << 12345.678 << ' '
              << std::hexfloat << 0.1 << std::defaultfloat << ' '
              << std::hex << std::showbase << 255 << std::dec << '\n';
    std::cout << std::setw(8) << std::left << "left" << '|'
              << std::setfill('*') << std::right << std::setw(6) << 42 << '\n';
    {
        std::ofstream out("file.txt");
        out << "line one\nline two\n" << 3.5 << '\n';
    }
    std::ifstream in("file.txt");
    for (std::string line; std::getline(in, line);)
        std::cout << '[' << line << ']';
    std::cout << '\n' << "absent opens: " << std::ifstream("absent").is_open() << '\n';

    std::regex pattern("([a-z]+)-([0-9]+)");
    std::smatch match;
    std::string subject = "see item-42 and thing-7";
    for (auto at = subject.cbegin(); std::regex_search(at, subject.cend(), match, pattern); at = match[0].second)
        std::cout << match[1] << ':' << match[2] << ' ';
    std::cout << '\n';
    std::variant<int, std::string> either = "text";
    std::cout << either.index() << ' '
              << std::visit([](auto v) { return sizeof v; }, std::variant<int, char>('c')) << '\n';
    std::function<int(int)> factorial = [&](int n) { return n < 2 ? 1 : n * factorial(n - 1); };
    std::cout << factorial(10) << ' ' << std::stod("2.5e3") << ' ' << std::stoi("ff", nullptr, 16) << '\n';
    auto start = std::chrono::steady_clock::now();
    std::cout << "time goes on: " << (std::chrono::steady_clock::now() >= start) << '\n';
    lazy();
    std::cout << "end of main" << std::endl;
    return 3;
}
