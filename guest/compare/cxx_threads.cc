/* std::thread, async, future, promise, condition_variable, atomics, call_once, exceptions across threads. */
// build: -static -pthread -Wl,--whole-archive -lpthread -Wl,--no-whole-archive
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <future>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

struct Queue {
    std::mutex mutex;
    std::condition_variable filled;
    std::deque<std::string> items;
    void put(std::string item)
    {
        std::lock_guard lock(mutex);
        items.push_back(std::move(item));
        filled.notify_one();
    }
    std::string take()
    {
        std::unique_lock lock(mutex);
        filled.wait(lock, [this] { return !items.empty(); });
        std::string item = std::move(items.front());
        items.pop_front();
        return item;
    }
};

struct Tells {
    ~Tells() { std::puts("unwound"); }
};

static thread_local struct Local {
    int value = 3;
    ~Local() { value == 3 ? std::puts("untouched TLS destroyed") : std::puts("touched TLS destroyed"); }
} local;

static long sum(const std::vector<int> &numbers, size_t from, size_t to)
{
    if (to - from < 250)
        return std::accumulate(numbers.begin() + from, numbers.begin() + to, 0L);
    size_t half = (from + to) / 2;
    auto left = std::async(std::launch::async, sum, std::cref(numbers), from, half);
    return sum(numbers, half, to) + left.get();
}

int main()
{
    setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    std::atomic<long> counter{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++)
        threads.emplace_back([&counter, i] {
            for (int n = 0; n < 500; n++)
                counter += i;
        });
    for (auto &thread : threads)
        thread.join();
    std::printf("atomic %ld\n", counter.load());

    Queue queue;
    std::thread consumer([&] {
        size_t length = 0;
        for (std::string item; (item = queue.take()) != "end";)
            length += item.size();
        std::printf("consumed %zu\n", length);
    });
    for (int i = 0; i < 200; i++)
        queue.put("item " + std::to_string(i));
    queue.put("end");
    consumer.join();

    std::vector<int> numbers(2000);
    std::iota(numbers.begin(), numbers.end(), 1);
    std::printf("async %ld\n", sum(numbers, 0, numbers.size()));

    auto failing = std::async(std::launch::async, []() -> int {
        Tells tells;
        throw std::runtime_error("thrown in a thread");
    });
    try {
        failing.get();
    } catch (const std::exception &error) {
        std::printf("caught: %s\n", error.what());
    }
    std::promise<int> promise;
    auto future = promise.get_future();
    std::printf("not yet %d\n", future.wait_for(5ms) == std::future_status::timeout);
    std::thread([&] { promise.set_value(42); }).join();
    std::printf("promise %d\n", future.get());

    int caught = 0;
    std::mutex mutex;
    threads.clear();
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&] {
            for (int n = 0; n < 25; n++)
                try {
                    if (n % 2)
                        throw n;
                    throw std::string("text");
                } catch (int) {
                    std::lock_guard lock(mutex);
                    caught++;
                } catch (const std::string &) {
                    std::lock_guard lock(mutex);
                    caught += 10;
                }
        });
    for (auto &thread : threads)
        thread.join();
    std::printf("exceptions in threads %d\n", caught);
    std::thread([] { local.value = 4; }).join();
    std::thread([] { (void)local.value; }).join();

    std::once_flag once;
    int calls = 0;
    std::shared_mutex shared;
    threads.clear();
    for (int i = 0; i < 5; i++)
        threads.emplace_back([&] {
            std::call_once(once, [&] { calls++; });
            std::shared_lock lock(shared);
            std::this_thread::yield();
        });
    for (auto &thread : threads)
        thread.join();
    std::printf("call_once %d\n", calls);
    std::timed_mutex timed;
    timed.lock();
    std::thread([&] { std::printf("try_lock_for %d\n", timed.try_lock_for(5ms)); }).join();
    try {
        std::thread().join();
    } catch (const std::system_error &error) {
        std::printf("system_error %d\n", error.code().value());
    }
    std::thread([] { throw std::logic_error("nobody catches"); }).join();
}
