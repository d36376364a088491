// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "document/document.h"
#include "engine/engine.h"

namespace rta::io::test {

inline constexpr std::string_view kThrough = R"({
    "nodes": [{"name": "in", "type": "input", "settings": {"channels": 2}},
              {"name": "out", "type": "output", "settings": {"channels": 2}}],
    "connections": [{"from": "in", "to": "out"}]})";

inline constexpr std::string_view kTone = R"({
    "nodes": [{"name": "osc", "type": "sine", "parameters": {"frequency_hz": 440, "gain_db": -6}},
              {"name": "out", "type": "output", "settings": {"channels": 2}}],
    "connections": [{"from": "osc", "to": "out"}]})";

/// Loads `document` into the engine, before its first block.
inline void load(Engine& engine, std::string_view document) {
    auto read = read_document(document);
    ASSERT_TRUE(read) << read.error().sentence;
    Transaction transaction;
    transaction.edits.emplace_back(ReplaceGraph{std::move(*read)});
    auto prepared = engine.prepare(std::move(transaction));
    ASSERT_TRUE(prepared) << prepared.error().sentence;
    const auto ticket = engine.commit(*prepared);
    ASSERT_TRUE(ticket) << ticket.error().sentence;
}

/// Returns planar noise: adjacent samples differ, so that a misplaced sample is detected.
inline std::vector<std::vector<float>> noise(std::size_t channels, std::size_t frames) {
    std::mt19937 random{7};
    std::uniform_real_distribution<float> uniform{-1.0F, 1.0F};
    std::vector<std::vector<float>> samples(channels, std::vector<float>(frames));
    for (auto& channel : samples) {
        for (float& sample : channel) sample = uniform(random);
    }
    return samples;
}

/// A temporary folder, removed with the test.
class TemporaryFolder {
 public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "rta-io-XXXXXX").string();
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        path_ = name;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string operator/(std::string_view name) const { return (path_ / name).string(); }

 private:
    std::filesystem::path path_;
};

}  // namespace rta::io::test
