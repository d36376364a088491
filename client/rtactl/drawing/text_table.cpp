// SPDX-License-Identifier: MIT
#include "rtactl/drawing/text_table.h"

#include <algorithm>
#include <ostream>
#include <string_view>
#include <utility>

#include "text/display_width.h"

namespace rta::rtactl {

Style TextTable::style_of(const Row& row, std::size_t column) const {
    if (row.all != Style::plain) return row.all;
    if (row.last != Style::plain && column + 1 == row.cells.size()) return row.last;
    return column < column_styles_.size() ? column_styles_[column] : Style::plain;
}

void TextTable::print(std::ostream& out, std::size_t indent) const {
    std::vector<std::size_t> widths;
    for (const Row& row : rows_) {
        widths.resize(std::max(widths.size(), row.cells.size()));
        for (std::size_t i = 0; i < row.cells.size(); ++i) widths[i] = std::max(widths[i], display_width(row.cells[i]));
    }
    for (const Row& row : rows_) {
        std::string blanks(indent, ' ');  // not yet written, because a line does not end with blanks
        for (std::size_t i = 0; i < row.cells.size(); ++i) {
            const std::string_view cell = row.cells[i];
            const std::string_view text = cell.substr(0, cell.find_last_not_of(' ') + 1);
            if (!text.empty()) out << std::exchange(blanks, "") << Styled{text, style_of(row, i)};
            blanks.append(cell.size() - text.size(), ' ');
            if (i + 1 < row.cells.size()) blanks.append(widths[i] - display_width(cell) + 2, ' ');
        }
        out << '\n';
    }
}

}  // namespace rta::rtactl
