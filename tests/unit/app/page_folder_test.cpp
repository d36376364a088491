// SPDX-License-Identifier: MIT
#include "app/page_folder.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/temporary.h"

namespace rta::app {
namespace {

TEST(PageFolder, IsThatOfTheInstallationOfTheProgram) {
    const test::TemporaryDirectory folder;
    std::filesystem::create_symlink("/opt/rtad/bin/rtad", folder / "exe");
    EXPECT_EQ(page_folder(folder / "exe"), "/opt/rtad/share/rtad/web");
}

TEST(PageFolder, IsThatOfTheConfiguredPrefixIfTheProgramIsUnknown) {
    const test::TemporaryDirectory folder;
    const std::string found = page_folder(folder / "none");
    EXPECT_TRUE(found.starts_with('/')) << "a relative path would be a folder of the working directory: " << found;
    EXPECT_TRUE(found.ends_with("/share/rtad/web")) << found;
}

}  // namespace
}  // namespace rta::app
