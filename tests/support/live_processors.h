// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "graph/node_type.h"

namespace rta::test {

namespace live_processors_detail {

inline std::atomic<std::ptrdiff_t> live{0};
inline std::atomic<std::size_t> built{0};

/// Forwards to the processor of a built-in type.
class CountedProcessor final : public Processor {
 public:
    explicit CountedProcessor(std::unique_ptr<Processor> processor) : processor_{std::move(processor)} {
        ++live;
        ++built;
    }
    ~CountedProcessor() override { --live; }

    void process(const ProcessContext& context) RTA_NONBLOCKING override { processor_->process(context); }
    [[nodiscard]] std::uint32_t latency_frames() const override { return processor_->latency_frames(); }
    [[nodiscard]] LevelTap* level_tap() override { return processor_->level_tap(); }

 private:
    std::unique_ptr<Processor> processor_;
};

inline constexpr std::size_t kMostTypes = 64;

template <std::size_t index>
Expected<std::unique_ptr<Processor>> create_counted(const BuildContext& context) {
    auto processor = builtin_nodes().types()[index]->create(context);
    if (!processor) return processor;
    return std::make_unique<CountedProcessor>(std::move(*processor));
}

template <std::size_t... index>
constexpr std::array<NodeType::Factory, sizeof...(index)> factories(std::index_sequence<index...>) {
    return {create_counted<index>...};
}

struct CountingTypes {
    CountingTypes() : types{}, pointers{} {
        static constexpr auto kFactories = factories(std::make_index_sequence<kMostTypes>{});
        const auto builtin = builtin_nodes().types();
        types.reserve(builtin.size());
        for (std::size_t i = 0; i < builtin.size(); ++i) {
            types.push_back(*builtin[i]);
            types.back().create = kFactories.at(i);
        }
        for (const NodeType& type : types) pointers.push_back(&type);
    }
    std::vector<NodeType> types;
    std::vector<const NodeType*> pointers;
};

}  // namespace live_processors_detail

/// Returns the built-in node types, with processors that are counted by live_processors().
inline const NodeRegistry& counting_nodes() {
    static const live_processors_detail::CountingTypes types;
    static const NodeRegistry registry{types.pointers};
    return registry;
}

/// Returns the number of processors of counting_nodes() that exist in this process, in all engines and outside of them.
inline std::ptrdiff_t live_processors() { return live_processors_detail::live; }

/// Returns the number of processors of counting_nodes() that have been built so far.
inline std::size_t built_processors() { return live_processors_detail::built; }

}  // namespace rta::test
