// SPDX-License-Identifier: MIT
// The part of edit_load_bench that measures the first blocks after an edit.
#include <pthread.h>

#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "edit_load_engine.h"
#include "rt/denormal_guard.h"

namespace rta::bench {
namespace {

void run_on_cpu(std::size_t cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);  // fails on a machine with only one CPU
}

/// Thread on its own CPU, like the audio thread. Runs one call at a time.
class OtherThread {
 public:
    OtherThread() : thread_{[this] { run(); }} {
        pthread_getaffinity_np(pthread_self(), sizeof cpus_, &cpus_);
        run_on_cpu(0);
    }
    ~OtherThread() {
        work_ = nullptr;
        begin_.release();
        thread_.join();
        pthread_setaffinity_np(pthread_self(), sizeof cpus_, &cpus_);
    }
    OtherThread(const OtherThread&) = delete;
    OtherThread& operator=(const OtherThread&) = delete;

    void call(const std::function<void()>& work) {
        work_ = &work;
        begin_.release();
        end_.acquire();
    }

 private:
    void run() {
        const DenormalGuard guard;
        run_on_cpu(1);
        for (;;) {
            begin_.acquire();
            if (work_ == nullptr) return;
            (*work_)();
            end_.release();
        }
    }

    cpu_set_t cpus_{};  ///< CPUs of the calling thread
    const std::function<void()>* work_ = nullptr;
    std::binary_semaphore begin_{0};
    std::binary_semaphore end_{0};
    std::thread thread_;
};

/// Chains of gains from a constant to an output.
std::vector<Edit> chains(std::size_t count) {
    constexpr std::size_t kLength = 100;
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}}};
    const float part = kLevel / static_cast<float>(count / kLength);
    edits.emplace_back(AddNode{"constant", "in", {}, {{"value", part}}});
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = "n" + std::to_string(i);
        edits.emplace_back(AddNode{"gain", name, {}, {}});
        edits.emplace_back(Connect{i % kLength == 0 ? "in" : "n" + std::to_string(i - 1), name, {}});
        if (i % kLength == kLength - 1) edits.emplace_back(Connect{name, "out", {}});
    }
    return edits;
}

void measure_first_blocks(const Load& load, std::size_t count, bool other_cpu) {
    Rig rig{chains(count)};
    std::optional<OtherThread> other;
    if (other_cpu) other.emplace();
    const auto block_ns = [&] {
        double ns = 0.0;
        const std::function<void()> render = [&] { ns = ns_of([&] { rig.render(1); }); };
        if (other) {
            other->call(render);
        } else {
            render();
        }
        for (const float sample : rig.block()) check("gains in chains", std::fabs(sample - kLevel), 1e-4);
        rig.poll();
        return ns / 1000.0;
    };
    std::array<std::vector<double>, 4> us;
    bool inserted = false;
    const std::size_t edits = load.of(100);
    for (std::size_t i = 0; i < 20; ++i) block_ns();
    for (std::size_t i = 0; i < edits; ++i) {
        // An insert and its removal alternate, each after the fade of the previous one.
        for (int block = 0; block < 25; ++block) block_ns();
        us[0].push_back(block_ns());
        std::vector<Edit> transaction;
        if (inserted) {
            transaction = {RemoveNode{"x"}, Connect{"n50", "n51", {}}};
        } else {
            transaction = {AddNode{"gain", "x", {}, {}}, Disconnect{"n50", "n51"}, Connect{"n50", "x", {}},
                           Connect{"x", "n51", {}}};
        }
        inserted = !inserted;
        auto prepared = rig.engine().prepare({std::move(transaction)});
        if (!prepared || !rig.engine().commit(*prepared)) throw std::runtime_error("an edit was refused");
        for (std::size_t block = 1; block < us.size(); ++block) us[block].push_back(block_ns());
    }
    print_title(std::to_string(count) + " gains, an insert or a removal committed on " +
                (other_cpu ? "another CPU" : "the same CPU"));
    constexpr std::array kWhat{"at rest", "first block after an edit", "the next block", "the one after it"};
    const Percentiles rest{us[0]};
    const Percentiles next{us[2]};
    for (std::size_t i = 0; i < us.size(); ++i) {
        const Percentiles each{us[i]};
        std::string ratio = decimal(each.p50() / rest.p50()) + " of rest";
        if (i == 1) {
            ratio += ", " + decimal(each.at(0.0) / next.at(0.0)) + " (min) " + decimal(each.p50() / next.p50()) +
                     " (p50) of the next; wanted < 1.5";
        }
        print_figure(std::string{kWhat.at(i)} + ", min / p50 / p99",
                     decimal(each.at(0.0), 1) + " / " + decimal(each.p50(), 1) + " / " + decimal(each.p99(), 1) + " us",
                     ratio);
    }
}

}  // namespace

void measure_gains(const Load& load) {
    for (const std::size_t count : {10'000UZ, 20'000UZ}) {
        for (const bool other_cpu : {false, true}) measure_first_blocks(load, count, other_cpu);
    }
}

}  // namespace rta::bench
