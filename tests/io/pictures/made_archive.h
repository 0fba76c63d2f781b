// Archives as libarchive writes them, and tars with members that nobody would write.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace resflow::testing {

struct Member {
  std::string name, bytes;
  unsigned type = AE_IFREG;
  std::string link = {};  // symbolic; of a regular file hard
};

// `filter` as ARCHIVE_FILTER_*; a zip where `zip` says so, else a tar with what extensions its names need.
inline void write_archive(const std::string& path, const std::vector<Member>& members, int filter = ARCHIVE_FILTER_NONE,
                          bool zip = false) {
  struct archive* const archive = archive_write_new();
  const auto check = [&](int status) {
    if (status < ARCHIVE_WARN) throw std::runtime_error(archive_error_string(archive));
  };
  check(zip ? archive_write_set_format_zip(archive) : archive_write_set_format_gnutar(archive));
  check(archive_write_add_filter(archive, filter));
  check(archive_write_open_filename(archive, path.c_str()));
  for (const Member& member : members) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.name.c_str());
    archive_entry_set_filetype(entry, member.type);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<int64_t>(member.bytes.size()));
    if (!member.link.empty() && member.type == AE_IFLNK) archive_entry_set_symlink(entry, member.link.c_str());
    if (!member.link.empty() && member.type == AE_IFREG) archive_entry_set_hardlink(entry, member.link.c_str());
    check(archive_write_header(archive, entry));
    if (!member.bytes.empty() && archive_write_data(archive, member.bytes.data(), member.bytes.size()) !=
                                     static_cast<la_ssize_t>(member.bytes.size()))
      throw std::runtime_error(archive_error_string(archive));
    archive_entry_free(entry);
  }
  check(archive_write_close(archive));
  archive_write_free(archive);
}

// A member of a tar by hand: its header may say what it likes.
inline std::string tar_member(const std::string& name, const std::string& bytes, uint64_t said_size, char type = '0') {
  std::string header(512, '\0');
  const auto put = [&](size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  char octal[16];
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  std::snprintf(octal, sizeof octal, "%011llo", static_cast<unsigned long long>(said_size));
  put(124, octal);
  put(136, "00000000000");
  put(148, "        ");
  put(156, std::string(1, type));
  put(257, std::string("ustar\0", 6) + "00");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<uint8_t>(c);
  std::snprintf(octal, sizeof octal, "%06o", sum);
  put(148, std::string(octal, 7) + " ");
  return header + bytes + std::string((512 - bytes.size() % 512) % 512, '\0');
}

}  // namespace resflow::testing
