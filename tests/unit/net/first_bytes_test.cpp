// SPDX-License-Identifier: MIT
#include "net/first_bytes.h"

#include <gtest/gtest.h>

#include <string>

#include "rta/v1/control.pb.h"
#include "support/protocol_client.h"

namespace rta::net {
namespace {

TEST(FirstBytes, EveryPartOfAHelloMayBecomeAHello) {
    for (const bool with_id : {false, true}) {
        for (const bool with_timeout : {false, true}) {
            for (const std::size_t name : {0U, 7U, 60U, 128U}) {
                v1::Request request;
                if (with_id) request.set_id(1);
                if (with_timeout) request.set_timeout_ms(500);
                request.mutable_hello()->set_protocol_version(1);
                request.mutable_hello()->set_client_name(std::string(name, 'n'));
                request.mutable_hello()->set_token(std::string(48, 't'));
                const std::string frame = test::delimited(request);
                for (std::size_t length = 0; length <= frame.size(); ++length)
                    EXPECT_EQ(recognise(frame.substr(0, length)), FirstBytes::hello)
                        << length << " of " << frame.size();
            }
        }
    }
}

TEST(FirstBytes, AnyOtherRequestIsRecognised) {
    const google::protobuf::Descriptor& type = *v1::Request::GetDescriptor();
    for (int i = 0; i < type.oneof_decl(0)->field_count(); ++i) {
        const google::protobuf::FieldDescriptor& field = *type.oneof_decl(0)->field(i);
        v1::Request request;
        request.GetReflection()->MutableMessage(&request, &field);
        EXPECT_EQ(recognise(test::delimited(request)),
                  field.number() == v1::Request::kHelloFieldNumber ? FirstBytes::hello : FirstBytes::other)
            << field.name();
    }
    EXPECT_EQ(recognise(std::string_view{"\0", 1}), FirstBytes::other) << "an empty message";
    EXPECT_EQ(recognise("\x80\x80\x01\x08"), FirstBytes::other) << "a length of 16 KiB";
    EXPECT_EQ(recognise("\xFF\xFF"), FirstBytes::other);
}

TEST(FirstBytes, HttpIsRecognisedWhateverItsMethod) {
    for (const char* const request : {"GET / HTTP/1.1\r\n", "PUT /x HTTP/1.1\r\n", "post / HTTP/1.0\r\n",
                                      "OPTIONS * HTTP/1.1\r\n", "M-SEARCH * HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\n"}) {
        EXPECT_EQ(recognise(request), FirstBytes::http) << request;
    }
    // Any method that HTTP allows, even if it is not taken for one: it cannot be a Hello.
    const std::string_view token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (const char first : token) {
        EXPECT_NE(recognise(std::string{first, ' '}), FirstBytes::hello);
        for (const char second : token) EXPECT_NE(recognise(std::string{first, second}), FirstBytes::hello);
    }
}

TEST(FirstBytes, ATlsHandshakeIsRecognised) {
    EXPECT_EQ(recognise("\x16\x03\x01\x02"), FirstBytes::tls);
    EXPECT_EQ(recognise("\x16\x03"), FirstBytes::tls);
    EXPECT_EQ(recognise("\x16\x08\x01"), FirstBytes::hello) << "a frame of 22 bytes";
}

}  // namespace
}  // namespace rta::net
