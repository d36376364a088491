// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "support/temporary.h"

namespace rta::test {

/// Every command that edits the graph, for FakeRtad, with the files that they read.
class EveryEdit {
 public:
    EveryEdit() {
        write_text(document_, "{}");
        write_text(list_, "Preamp: -3 dB\n");
    }

    [[nodiscard]] const std::string& document() const { return document_; }
    [[nodiscard]] std::vector<std::vector<std::string>> commands() const {
        return {{"add", "gain", "x"},
                {"remove", "vol"},
                {"rename", "vol", "x"},
                {"connect", "osc", "out"},
                {"disconnect", "osc", "vol"},
                {"insert", "gain", "x", "osc", "vol"},
                {"set", "vol.gain_db=-6"},
                {"set", "vol.channels=2"},
                {"bypass", "vol"},
                {"mute", "vol"},
                {"unmute", "vol"},
                {"play", "sine"},
                {"play", "--add", "sine"},
                {"graph", "load", document_},
                {"graph", "clear"},
                {"graph", "compensate"},
                {"import", "eq", list_, "x"}};
    }

 private:
    TemporaryDirectory directory_;
    std::string document_ = directory_ / "chain.json";
    std::string list_ = directory_ / "list.txt";
};

}  // namespace rta::test
