// C++ exceptions: types, hierarchies, rethrow, unwinding through frames and destructors, terminate (134).
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

int alive = 0;
char *volatile kept_array;

struct Tracked {
    int number;
    explicit Tracked(int n) : number(n) { alive++; }
    Tracked(const Tracked &other) : number(other.number) { alive++; }
    ~Tracked()
    {
        alive--;
        std::printf("~%d ", number);
    }
};

int deep(int depth)
{
    Tracked here(depth);
    if (depth == 0)
        throw std::runtime_error("from the depth");
    return deep(depth - 1) + here.number;
}

struct Base {
    virtual ~Base() = default;
    virtual const char *name() const { return "Base"; }
};
struct Derived : Base {
    const char *name() const override { return "Derived"; }
};

void choose(int what)
{
    switch (what) {
    case 0: throw 42;
    case 1: throw "text";
    case 2: throw Derived();
    case 3: throw std::out_of_range("range");
    case 4: throw std::string("string");
    case 5: std::vector<int>().at(3); break;
    case 6: kept_array = new char[static_cast<std::size_t>(-1) / 4 + what]; break;
    default: throw 1.5;
    }
}

}  // namespace

int main()
{
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    try {
        deep(5);
    } catch (const std::exception &error) {
        std::printf("caught %s, alive %d\n", error.what(), alive);
    }
    for (int i = 0; i < 8; i++)
        try {
            Tracked local(100 + i);
            choose(i);
        } catch (int value) {
            std::printf("int %d\n", value);
        } catch (const char *text) {
            std::printf("text %s\n", text);
        } catch (const Base &base) {
            std::printf("%s\n", base.name());
        } catch (const std::bad_alloc &) {
            std::puts("bad_alloc");
        } catch (const std::logic_error &) {
            std::puts("logic_error");
        } catch (const std::string &text) {
            std::printf("string %s\n", text.c_str());
        } catch (...) {
            std::puts("something else");
        }
    try {
        try {
            throw std::invalid_argument("inner");
        } catch (...) {
            std::throw_with_nested(std::runtime_error("outer"));
        }
    } catch (const std::exception &error) {
        std::printf("%s", error.what());
        try {
            std::rethrow_if_nested(error);
        } catch (const std::exception &inner) {
            std::printf(" of %s\n", inner.what());
        }
    }
    std::exception_ptr kept;
    try {
        throw 7;
    } catch (...) {
        kept = std::current_exception();
    }
    try {
        std::rethrow_exception(kept);
    } catch (int value) {
        std::printf("kept %d\n", value);
    }
    int sum = 0;
    for (int i = 0; i < 1000; i++)
        try {
            auto guard = std::make_unique<int>(i);
            if (i % 3 == 0)
                throw i;
            sum += *guard;
        } catch (int value) {
            sum -= value;
        }
    std::printf("sum %d alive %d\n", sum, alive);
    std::set_terminate([] {
        std::puts("terminate");
        std::abort();
    });
    []() noexcept { choose(0); }();
    std::puts("not reached");
}
