// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace rta {

/// A vector whose copies share the elements until one of them is changed. A moved-from object must not be used.
/// One thread may use a vector and change its copies; other threads may read copies as long as that thread keeps one
/// that outlives their reads.
template <typename T>
class SharedVector {
 public:
    SharedVector() = default;
    explicit SharedVector(std::vector<T> items) : items_{std::make_shared<std::vector<T>>(std::move(items))} {}

    [[nodiscard]] std::size_t size() const { return items_->size(); }
    [[nodiscard]] bool empty() const { return items_->empty(); }
    [[nodiscard]] const T& operator[](std::size_t index) const { return (*items_)[index]; }
    [[nodiscard]] const T& back() const { return items_->back(); }
    [[nodiscard]] auto begin() const { return items_->cbegin(); }
    [[nodiscard]] auto end() const { return items_->cend(); }

    /// Returns the vector, for changes. The elements are copied if they are shared, so what was found before by
    /// reference is not part of it.
    [[nodiscard]] std::vector<T>& own() {
        if (items_.use_count() != 1) items_ = std::make_shared<std::vector<T>>(*items_);
        return *items_;
    }

 private:
    std::shared_ptr<std::vector<T>> items_ = std::make_shared<std::vector<T>>();
};

}  // namespace rta
