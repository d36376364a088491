// SPDX-License-Identifier: MIT
#include "text/error.h"

#include <gtest/gtest.h>

#include "rta/v1/control.pb.h"

namespace rta {
namespace {

TEST(ErrorCodeName, IsTheProtocolsSpelling) {
    const auto* codes = v1::Code_descriptor();
    int named = 0;
    for (int i = 0; i < codes->value_count(); ++i) {
        const auto* code = codes->value(i);
        if (code->number() == v1::OK) continue;
        EXPECT_EQ(error_code_name(static_cast<ErrorCode>(code->number())), code->name());
        ++named;
    }
    EXPECT_EQ(named, 12);
}

}  // namespace
}  // namespace rta
