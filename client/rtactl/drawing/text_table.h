// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "rtactl/drawing/style.h"

namespace rta::rtactl {

/// Table of text with aligned columns. The last column is not padded.
class TextTable {
 public:
    /// `last` is the style of the last cell.
    void add(std::vector<std::string> row, Style last = Style::plain) {
        rows_.push_back({std::move(row), Style::plain, last});
    }
    void heading(std::vector<std::string> row) { rows_.push_back({std::move(row), Style::heading, Style::heading}); }
    /// Sets the style of a column, except in headings and where a row has its own.
    void style_column(std::size_t column, Style style) {
        column_styles_.resize(std::max(column_styles_.size(), column + 1), Style::plain);
        column_styles_[column] = style;
    }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    void print(std::ostream& out, std::size_t indent = 0) const;

 private:
    struct Row {
        std::vector<std::string> cells;
        Style all;
        Style last;
    };

    [[nodiscard]] Style style_of(const Row& row, std::size_t column) const;

    std::vector<Row> rows_;
    std::vector<Style> column_styles_;
};

}  // namespace rta::rtactl
