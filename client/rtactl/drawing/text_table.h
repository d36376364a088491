// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace rta::rtactl {

/// Table of text with aligned columns. The last column is not padded.
class TextTable {
 public:
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    void print(std::ostream& out, std::size_t indent = 0) const;

 private:
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace rta::rtactl
