// Covers: io/checkpoint/file io/checkpoint/manifest
#include "io/checkpoint/checkpoint.h"

#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "io/checkpoint/file.h"
#include "io/checkpoint/manifest.h"
#include "tests/io/expect_error.h"
#include "tests/io/files.h"
#include "tests/io/files/faulty_files.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::FaultyFiles;
using testing::random_array;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

// With a value in every field.
Checkpoint full_checkpoint(int seed = 1) {
  Checkpoint checkpoint;
  checkpoint.model = {.architecture = "resnet50",
                      .num_classes = 4,
                      .zero_init_residual = true,
                      .replace_stride_with_dilation = {false, true, true},
                      .groups = 32,
                      .width_per_group = 4,
                      .block = "bottleneck",
                      .layers = {1, 2, 3, 4},
                      .channels = 32,
                      .norm = "group",
                      .norm_groups = 4,
                      .shortcut = "padding",
                      .stem = "cifar",
                      .no_residual = true};
  checkpoint.classes = {"ants", "bees \xC3\xA4", "not UTF-8 \xFF", ""};
  checkpoint.preprocessing = {
      .resize = 232, .crop = 160, .mean = {0.1F, 0.2F, 0.3F}, .std = {0.4F, 0.5F, 0.6F}, .exif = true};
  checkpoint.parameters = {{"conv1.weight", random_array(DType::kF32, {64, 3, 7, 7}, seed)},
                           {"bn1.num_batches_tracked", random_array(DType::kI64, {}, seed + 1)},
                           {"odd", random_array(DType::kU8, {13}, seed + 2)},
                           {"empty", Array(DType::kF64, {0, 4})},
                           {"half", random_array(DType::kF16, {3, 1}, seed + 3)},
                           {"fc.bias", random_array(DType::kBF16, {4}, seed + 4)}};
  checkpoint.optimizer = {{"conv1.weight/exp_avg", random_array(DType::kF32, {64, 3, 7, 7}, seed + 5)},
                          {"conv1.weight", random_array(DType::kI32, {2}, seed + 6)}};
  checkpoint.optimizer_name = "adam";
  TrainingState& training = checkpoint.training;
  training.seed = std::numeric_limits<uint64_t>::max();
  training.epoch = 2;
  training.next_batch = 7;
  training.step = 1234567890123;
  training.epoch_loss_sum = 0.1 + 0.2;
  training.epoch_correct = 55;
  training.epoch_samples = 77;
  training.files = "0123456789abcdef";
  training.broken = {{"a/\xFF.jpg", "is truncated"}, {"b.jpg", ""}};
  training.broken_count = 12;
  training.epoch_seconds = 12.5;
  training.epoch_left_out = {.unreadable = 3, .broken = 4};
  training.best_val_accuracy = 0.875;
  training.history = {{.epoch = 1,
                       .train_loss = 1.5,
                       .train_accuracy = 0.25,
                       .val_loss = 1.25,
                       .val_accuracy = 0.5,
                       .learning_rate = 1e-3,
                       .seconds = 3.5,
                       .left_out = {.unreadable = 1, .broken = 2}},
                      {.epoch = 2,
                       .train_loss = 1,
                       .train_accuracy = 0.75,
                       .val_loss = std::nan(""),
                       .val_accuracy = std::nan(""),
                       .learning_rate = 1e-4,
                       .seconds = 2.5}};
  training.options = {{"--lr", "0.001"}, {"--data", "caf\xE9"}};
  training.fingerprint = "cpu avx512, 2 threads";
  checkpoint.provenance = {{"weights", "resnet50:IMAGENET1K_V2"}, {"converted from", "caf\xE9.pth"}, {"weights", ""}};
  return checkpoint;
}

void expect_same_arrays(const std::vector<NamedArray>& got, const std::vector<NamedArray>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].name, wanted[i].name);
    EXPECT_TRUE(got[i].array == wanted[i].array) << wanted[i].name;
  }
}

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

void expect_same_description(const Checkpoint& got, const Checkpoint& wanted) {
  EXPECT_EQ(got.model, wanted.model);
  EXPECT_EQ(got.classes, wanted.classes);
  EXPECT_EQ(got.preprocessing, wanted.preprocessing);
  EXPECT_EQ(got.optimizer_name, wanted.optimizer_name);
  EXPECT_EQ(got.provenance, wanted.provenance);
  const TrainingState &a = got.training, &b = wanted.training;
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.next_batch, b.next_batch);
  EXPECT_EQ(a.step, b.step);
  EXPECT_TRUE(same_bits(a.epoch_loss_sum, b.epoch_loss_sum));
  EXPECT_EQ(a.epoch_correct, b.epoch_correct);
  EXPECT_EQ(a.epoch_samples, b.epoch_samples);
  EXPECT_EQ(a.epoch_seconds, b.epoch_seconds);
  EXPECT_EQ(a.epoch_left_out, b.epoch_left_out);
  EXPECT_EQ(a.best_val_accuracy, b.best_val_accuracy);
  EXPECT_EQ(a.options, b.options);
  EXPECT_EQ(a.fingerprint, b.fingerprint);
  EXPECT_EQ(a.files, b.files);
  EXPECT_EQ(a.broken, b.broken);
  EXPECT_EQ(a.broken_count, b.broken_count);
  ASSERT_EQ(a.history.size(), b.history.size());
  for (size_t i = 0; i < a.history.size(); ++i) {
    const EpochRecord &x = a.history[i], &y = b.history[i];
    EXPECT_EQ(x.epoch, y.epoch);
    EXPECT_EQ(x.train_loss, y.train_loss);
    EXPECT_EQ(x.train_accuracy, y.train_accuracy);
    EXPECT_TRUE(same_bits(x.val_loss, y.val_loss));
    EXPECT_TRUE(same_bits(x.val_accuracy, y.val_accuracy));
    EXPECT_EQ(x.learning_rate, y.learning_rate);
    EXPECT_EQ(x.seconds, y.seconds);
    EXPECT_EQ(x.left_out, y.left_out);
  }
}

TEST(Checkpoint, ComesBackWithEveryBit) {
  const TemporaryFolder folder;
  const Checkpoint saved = full_checkpoint();
  save_checkpoint(saved, folder / "m.resflow");
  const Checkpoint loaded = load_checkpoint(folder / "m.resflow");
  expect_same_description(loaded, saved);
  expect_same_arrays(loaded.parameters, saved.parameters);
  expect_same_arrays(loaded.optimizer, saved.optimizer);
  EXPECT_TRUE(is_checkpoint(folder / "m.resflow"));
}

TEST(Checkpoint, OfNothingComesBack) {
  const TemporaryFolder folder;
  save_checkpoint({}, folder / "m.resflow");
  const Checkpoint loaded = load_checkpoint(folder / "m.resflow");
  expect_same_description(loaded, {});
  EXPECT_TRUE(loaded.parameters.empty());
}

TEST(Checkpoint, IsTheSameFileForTheSameContent) {
  const TemporaryFolder folder;
  save_checkpoint(full_checkpoint(), folder / "a");
  save_checkpoint(full_checkpoint(), folder / "b");
  EXPECT_EQ(read_text(folder / "a"), read_text(folder / "b"));
}

TEST(Checkpoint, SummaryListsTensorsWithoutReadingThem) {
  const TemporaryFolder folder;
  const Checkpoint saved = full_checkpoint();
  save_checkpoint(saved, folder / "m.resflow");
  // A damaged last tensor is nothing to the manifest.
  std::string bytes = read_text(folder / "m.resflow");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_text(folder / "m.resflow", bytes);
  const CheckpointSummary summary = read_checkpoint_summary(folder / "m.resflow");
  expect_same_description(summary.checkpoint, saved);
  EXPECT_EQ(summary.format_version, 1);
  ASSERT_EQ(summary.parameters.size(), saved.parameters.size());
  for (size_t i = 0; i < saved.parameters.size(); ++i) {
    EXPECT_EQ(summary.parameters[i].name, saved.parameters[i].name);
    EXPECT_EQ(summary.parameters[i].dtype, saved.parameters[i].array.dtype());
    EXPECT_EQ(summary.parameters[i].dims, saved.parameters[i].array.dims());
  }
  EXPECT_EQ(summary.optimizer.size(), 2U);
  EXPECT_TRUE(summary.checkpoint.parameters.empty());
}

// Two libraries in a process may not have a .proto file of one name.
TEST(Checkpoint, TheManifestsFileHasAProjectsName) {
  EXPECT_EQ(proto::Manifest::descriptor()->file()->name(), "resflow/io/checkpoint/checkpoint.proto");
}

TEST(Checkpoint, TensorsLieAligned) {
  const TemporaryFolder folder;
  const Checkpoint saved = full_checkpoint();
  save_checkpoint(saved, folder / "m.resflow");
  const std::string bytes = read_text(folder / "m.resflow");
  const Array& odd = saved.parameters[2].array;
  const size_t at = bytes.find(std::string(reinterpret_cast<const char*>(odd.raw()), odd.bytes()));
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(at % 64, 0U);
}

TEST(Checkpoint, RefusesEveryTruncation) {
  const TemporaryFolder folder;
  save_checkpoint(full_checkpoint(), folder / "m.resflow");
  const std::string bytes = read_text(folder / "m.resflow");
  for (size_t length = 0; length < bytes.size(); length += length < 1500 ? 1 : 997) {
    write_text(folder / "cut", bytes.substr(0, length));
    EXPECT_THROW(load_checkpoint(folder / "cut"), Error) << length;
  }
  write_text(folder / "cut", bytes.substr(0, 1000));
  expect_error(ErrorKind::kData, {folder / "cut", "truncated", "1000 of " + std::to_string(bytes.size())},
               [&] { load_checkpoint(folder / "cut"); });
  write_text(folder / "cut", bytes + "more");
  expect_error(ErrorKind::kData, {"damaged", std::to_string(bytes.size() + 4)},
               [&] { load_checkpoint(folder / "cut"); });
}

TEST(Checkpoint, FindsEveryFlippedBitThatMatters) {
  const TemporaryFolder folder;
  const Checkpoint saved = full_checkpoint();
  save_checkpoint(saved, folder / "m.resflow");
  const std::string whole = read_text(folder / "m.resflow");
  int padding = 0;
  for (size_t at = 0; at < whole.size(); at += at < 1500 ? 1 : 311) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
    write_text(folder / "flipped", bytes);
    try {
      const Checkpoint loaded = load_checkpoint(folder / "flipped");
      // Only the zeros between the tensors carry nothing.
      EXPECT_EQ(whole[at], 0) << at;
      expect_same_arrays(loaded.parameters, saved.parameters);
      ++padding;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kData) << error.what();
    }
  }
  EXPECT_LT(padding, 300);
}

TEST(Checkpoint, AManifestThatIsNoneIsSaidOnce) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.resflow";
  proto::Manifest manifest;
  manifest.mutable_model()->set_architecture("\xff");  // text must be UTF-8
  write_checkpoint_file(manifest, {}, path, 1, machine_files());
  ::testing::internal::CaptureStderr();
  expect_error(ErrorKind::kData, {path, "its manifest cannot be read"}, [&] { load_checkpoint(path); });
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Checkpoint, NamesTheTensorThatIsDamaged) {
  const TemporaryFolder folder;
  const Checkpoint saved = full_checkpoint();
  save_checkpoint(saved, folder / "m.resflow");
  std::string bytes = read_text(folder / "m.resflow");
  const Array& odd = saved.parameters[2].array;
  const size_t at = bytes.find(std::string(reinterpret_cast<const char*>(odd.raw()), odd.bytes()));
  bytes[at] = static_cast<char>(bytes[at] ^ 0x80);
  write_text(folder / "m.resflow", bytes);
  expect_error(ErrorKind::kData, {folder / "m.resflow", "damaged", "odd", "checksum"},
               [&] { load_checkpoint(folder / "m.resflow"); });
}

TEST(Checkpoint, NamesAnotherVersion) {
  const TemporaryFolder folder;
  save_checkpoint(full_checkpoint(), folder / "m.resflow");
  std::string bytes = read_text(folder / "m.resflow");
  bytes[12] = 3;
  // As the program of that version would have written it: its header's checksum fits.
  const uint64_t sum = checkpoint_checksum({reinterpret_cast<const uint8_t*>(bytes.data()), 56});
  std::memcpy(&bytes[56], &sum, sizeof sum);
  write_text(folder / "m.resflow", bytes);
  expect_error(ErrorKind::kData, {"version 3", "reads versions 1 to 2"},
               [&] { load_checkpoint(folder / "m.resflow"); });
}

TEST(Checkpoint, NamesWhatIsNone) {
  const TemporaryFolder folder;
  const std::array<std::pair<const char*, std::string>, 4> files = {
      {{"is empty", ""},
       {"PyTorch's .pth", "PK\3\4 and so on"},
       {"is a GIF", "GIF89a"},
       {"another program's file", std::string(200, 'x')}}};
  for (const auto& [says, content] : files) {
    write_text(folder / "m.resflow", content);
    expect_error(ErrorKind::kData, {folder / "m.resflow", says, "no resflow checkpoint"},
                 [&] { load_checkpoint(folder / "m.resflow"); });
    EXPECT_FALSE(is_checkpoint(folder / "m.resflow"));
  }
  expect_error(ErrorKind::kData, {folder / "absent"}, [&] { load_checkpoint(folder / "absent"); });
  expect_error(ErrorKind::kData, {"is a folder"}, [&] { load_checkpoint(folder.path().string()); });
  EXPECT_FALSE(is_checkpoint(folder / "absent"));
  EXPECT_FALSE(is_checkpoint(folder.path().string()));
}

// A file whose checksums all fit, with an entry changed: what an attacker would write.
void expect_entry_is_refused(const std::string& says, const std::function<void(proto::Manifest&)>& change) {
  const TemporaryFolder folder;
  proto::Manifest manifest;
  manifest.mutable_model()->set_num_classes(4);
  manifest.mutable_preprocessing()->set_resize(256);
  manifest.mutable_preprocessing()->set_crop(224);
  for (int c = 0; c < 3; ++c) {
    manifest.mutable_preprocessing()->add_mean(0);
    manifest.mutable_preprocessing()->add_std(1);
  }
  const std::array<uint8_t, 64> values{};
  for (int i = 0; i < 2; ++i) {
    proto::Tensor& entry = *manifest.add_parameters();
    entry.set_name("tensor" + std::to_string(i));
    entry.set_dtype("f32");
    entry.add_dims(16);
    entry.set_offset(static_cast<uint64_t>(i) * 64);
    entry.set_bytes(64);
    entry.set_xxh3(checkpoint_checksum(values));
  }
  change(manifest);
  const std::string text = manifest.SerializeAsString();
  std::string file("\x89resflow\r\n\x1A\n", 12);
  const auto put = [&file](auto value) { file.append(reinterpret_cast<const char*>(&value), sizeof value); };
  const auto checksum = [](const std::string& of) {
    return checkpoint_checksum({reinterpret_cast<const uint8_t*>(of.data()), of.size()});
  };
  put(uint32_t{1});
  put(uint64_t{text.size()});
  put(checksum(text));
  put(uint64_t{aligned(64 + text.size()) + 128});
  put(uint64_t{0});
  put(uint64_t{0});
  put(checksum(file));
  file += text;
  file.resize(aligned(file.size()) + 128);
  write_text(folder / "m.resflow", file);
  if (says.empty()) {
    // As files from before these fields are.
    const Checkpoint loaded = load_checkpoint(folder / "m.resflow");
    EXPECT_TRUE(loaded.provenance.empty());
    EXPECT_EQ(loaded.preprocessing.interpolation, "bilinear");
  } else {
    expect_error(ErrorKind::kData, {folder / "m.resflow", "damaged", says},
                 [&] { load_checkpoint(folder / "m.resflow"); });
  }
}

TEST(Checkpoint, RefusesEntriesThatCannotBe) {
  using Manifest = proto::Manifest;
  constexpr uint64_t kHuge = uint64_t{1} << 62;
  expect_entry_is_refused("", [](Manifest&) {});
  expect_entry_is_refused("impossible dims", [](Manifest& m) { m.mutable_parameters(0)->set_dims(0, -16); });
  expect_entry_is_refused("impossible dims", [](Manifest& m) {
    m.mutable_parameters(0)->set_dims(0, int64_t{1} << 40);
    m.mutable_parameters(0)->add_dims(int64_t{1} << 40);
  });
  expect_entry_is_refused("too many dims", [](Manifest& m) {
    for (int i = 0; i < 100; ++i) m.mutable_parameters(0)->add_dims(1);
  });
  expect_entry_is_refused("do not fit", [](Manifest& m) { m.mutable_parameters(0)->set_dims(0, 17); });
  expect_entry_is_refused("f31", [](Manifest& m) { m.mutable_parameters(0)->set_dtype("f31"); });
  expect_entry_is_refused("impossible place", [](Manifest& m) { m.mutable_parameters(0)->set_offset(4); });
  expect_entry_is_refused("impossible place", [](Manifest& m) { m.mutable_parameters(1)->set_offset(0); });
  expect_entry_is_refused("outside", [](Manifest& m) { m.mutable_parameters(1)->set_offset(128); });
  expect_entry_is_refused("outside", [=](Manifest& m) { m.mutable_parameters(1)->set_offset(kHuge); });
  // Terabytes that are not there must not be allocated.
  expect_entry_is_refused("outside", [=](Manifest& m) {
    m.mutable_parameters(1)->set_dims(0, static_cast<int64_t>(kHuge / 4));
    m.mutable_parameters(1)->set_bytes(kHuge);
  });
  expect_entry_is_refused("twice", [](Manifest& m) { m.mutable_parameters(1)->set_name("tensor0"); });
  expect_entry_is_refused("resized lanczos, this resflow resizes bilinear and bicubic only",
                          [](Manifest& m) { m.mutable_preprocessing()->set_interpolation("lanczos"); });
  expect_entry_is_refused("means", [](Manifest& m) { m.mutable_preprocessing()->clear_mean(); });
  expect_entry_is_refused("its preprocessing: crop 0", [](Manifest& m) { m.mutable_preprocessing()->set_crop(0); });
  expect_entry_is_refused("its preprocessing: std 0", [](Manifest& m) { m.mutable_preprocessing()->set_std(1, 0); });
  expect_entry_is_refused("num_classes 0", [](Manifest& m) { m.mutable_model()->set_num_classes(0); });
  expect_entry_is_refused("next batch -1", [](Manifest& m) { m.mutable_training()->set_next_batch(-1); });
  expect_entry_is_refused("epoch 4611686018427387904",
                          [=](Manifest& m) { m.mutable_training()->add_history()->set_epoch(kHuge); });
}

// What a newer resflow says of pictures, weights or outputs would be passed over, and other answers come of it.
TEST(Checkpoint, RefusesFieldsThatItDoesNotKnow) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.resflow";
  const auto saved_with = [&](const std::function<void(proto::Manifest&)>& change) {
    proto::Manifest manifest;
    to_manifest(full_checkpoint(), manifest);
    change(manifest);
    write_checkpoint_file(manifest, {}, path, 1, machine_files());
  };
  const auto add_field = [](google::protobuf::Message& message, int number) {
    message.GetReflection()->MutableUnknownFields(&message)->AddVarint(number, 1);
  };
  const auto refused = [&](const std::string& says, const std::function<void(proto::Manifest&)>& change) {
    saved_with(change);
    expect_error(ErrorKind::kData, {path, "does not know " + says, "newer"}, [&] { load_checkpoint(path); });
    expect_error(ErrorKind::kData, {path, says}, [&] { read_checkpoint_summary(path); });
  };
  refused("field 77 of its manifest", [&](proto::Manifest& m) { add_field(m, 77); });
  refused("field 78 of its preprocessing", [&](proto::Manifest& m) { add_field(*m.mutable_preprocessing(), 78); });
  refused("field 79 of its provenance", [&](proto::Manifest& m) { add_field(*m.add_provenance(), 79); });
  // What it says of its training matters to who goes on with it alone.
  saved_with([&](proto::Manifest& m) {
    add_field(*m.mutable_training(), 80);
    add_field(*m.mutable_training()->mutable_history(1), 81);
  });
  EXPECT_EQ(load_checkpoint(path).training.unknown,
            (std::vector<std::string>{"field 80 of its training", "field 81 of its history"}));
}

TEST(Checkpoint, RefusesToSaveANameTwice) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = full_checkpoint();
  checkpoint.parameters.push_back(checkpoint.parameters[0]);
  expect_error(ErrorKind::kInternal, {"conv1.weight", "twice"},
               [&] { save_checkpoint(checkpoint, folder / "m.resflow"); });
}

TEST(Checkpoint, KeepsGenerationsAndNamesTheNewestWholeOne) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.resflow";
  for (int n = 1; n <= 4; ++n) {
    Checkpoint checkpoint = full_checkpoint(n);
    checkpoint.training.epoch = n;
    save_checkpoint(checkpoint, path, 3);
  }
  EXPECT_EQ(load_checkpoint(path).training.epoch, 4);
  EXPECT_EQ(load_checkpoint(path + ".1").training.epoch, 3);
  EXPECT_EQ(load_checkpoint(path + ".2").training.epoch, 2);
  EXPECT_FALSE(fs::exists(path + ".3"));

  for (const std::string& damaged : {path, path + ".1"}) {
    std::string bytes = read_text(damaged);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    write_text(damaged, bytes);
    const std::string whole = damaged == path ? path + ".1" : path + ".2";
    expect_error(ErrorKind::kData, {"damaged", whole + " is whole"}, [&] { load_checkpoint(path); });
  }
  fs::remove(path);
  expect_error(ErrorKind::kData, {path, "No such file", path + ".2 is whole", "after 2 epochs"},
               [&] { load_checkpoint(path); });
}

TEST(Checkpoint, AFullDiskLeavesThePreviousOne) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.resflow";
  const Checkpoint previous = full_checkpoint(1);
  save_checkpoint(previous, path, 2);
  const auto size = fs::file_size(path);
  FaultyFiles counting;
  save_checkpoint(full_checkpoint(2), folder / "count", 1, counting);
  const int writes = counting.calls("write");
  ASSERT_GT(writes, 10);
  for (int nth = 1; nth <= writes; ++nth) {
    FaultyFiles files;
    files.fail("write", nth, ENOSPC);
    expect_error(ErrorKind::kSystem,
                 {path, "disk is full", std::to_string(size) + " bytes needed", "free", "previous file is unchanged"},
                 [&] { save_checkpoint(full_checkpoint(2), path, 2, files); });
    EXPECT_FALSE(fs::exists(path + ".partial"));
  }
  FaultyFiles files;
  files.fail("fsync", 1, EIO);
  expect_error(ErrorKind::kSystem, {path, "cannot be synced"},
               [&] { save_checkpoint(full_checkpoint(2), path, 2, files); });
  expect_same_arrays(load_checkpoint(path).parameters, previous.parameters);
  EXPECT_FALSE(fs::exists(path + ".1"));
}

// In a process of its own, which alone sees the small disk. Returns its exit code: 0 where `work` was content.
int on_a_disk_of_one_megabyte(const std::string& folder, const std::function<bool()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    constexpr int kNoMount = 77;
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=1m") != 0)
      _exit(kNoMount);
    _exit(work() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

TEST(Checkpoint, AReallyFullDiskLeavesThePreviousOne) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.resflow";
  const auto saves_and_refuses = [&] {
    Checkpoint small = full_checkpoint(1), large = full_checkpoint(2);
    large.parameters.push_back({"large", Array(DType::kF32, {1000, 1000})});
    save_checkpoint(small, path);
    // Not told how much is free, it finds out while it writes.
    FaultyFiles unaware;
    unaware.set_free_bytes(-1);
    for (FileSystem* files : {&machine_files(), static_cast<FileSystem*>(&unaware)}) {
      try {
        save_checkpoint(large, path, 2, *files);
        return false;
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kSystem) return false;
        if (std::string(error.what()).find("disk is full") == std::string::npos) return false;
      }
    }
    const Checkpoint loaded = load_checkpoint(path);
    return loaded.parameters[0].array == small.parameters[0].array && !fs::exists(path + ".partial");
  };
  const int result = on_a_disk_of_one_megabyte(folder.path().string(), saves_and_refuses);
  if (result == 77) GTEST_SKIP() << "this user cannot mount a small disk";
  EXPECT_EQ(result, 0);
}

TEST(Checkpoint, SaysThatThereIsNoPermissionOrNoFolder) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::kUsage, {folder / "absent"}, [&] { save_checkpoint({}, folder / "absent/m.resflow"); });
  FaultyFiles files;
  files.fail("open", 1, EROFS);
  expect_error(ErrorKind::kUsage, {"no permission"}, [&] { save_checkpoint({}, folder / "m.resflow", 1, files); });
}

TEST(Checkpoint, AHeadThatIsNoSoftmaxComesBackAndOlderReadersRefuseIt) {
  const TemporaryFolder folder;
  const std::string plain = folder / "plain", svm = folder / "svm";
  Checkpoint checkpoint = full_checkpoint();
  save_checkpoint(checkpoint, plain);
  checkpoint.head = {.kind = Head::Kind::kOneVsRest, .platt_a = {-1.5, -2, 0.1, 1e-9}, .platt_b = {0, 0.25, -3, 7}};
  save_checkpoint(checkpoint, svm);
  EXPECT_EQ(load_checkpoint(plain).head, Head());
  EXPECT_EQ(load_checkpoint(svm).head, checkpoint.head);
  EXPECT_EQ(read_checkpoint_summary(svm).checkpoint.head, checkpoint.head);
  EXPECT_EQ(read_checkpoint_summary(plain).format_version, 1);
  EXPECT_EQ(read_checkpoint_summary(svm).format_version, 2);
}

TEST(Checkpoint, AHeadThatDoesNotFitTheClassesIsRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "svm";
  Checkpoint checkpoint = full_checkpoint();
  checkpoint.head = {.kind = Head::Kind::kOneVsRest, .platt_a = {1, 2, 3}, .platt_b = {1, 2, 3}};
  save_checkpoint(checkpoint, path);
  expect_error(ErrorKind::kData, {path, "one_vs_rest head has 3 and 3", "wanted 4"}, [&] { load_checkpoint(path); });
  checkpoint.head.platt_a = {1, 2, 3, std::nan("")};
  checkpoint.head.platt_b = {1, 2, 3, 4};
  save_checkpoint(checkpoint, path);
  expect_error(ErrorKind::kData, {path, "no numbers"}, [&] { load_checkpoint(path); });
}

TEST(Checkpoint, RangesOfActivationsComeBackAndOlderReadersSkipThem) {
  const TemporaryFolder folder;
  const std::string path = folder / "q";
  Checkpoint checkpoint = full_checkpoint();
  save_checkpoint(checkpoint, path);
  EXPECT_FALSE(load_checkpoint(path).quantization);
  checkpoint.quantization = {.pictures = 3, .activations = {{"input", -2.1F, 2.6F}, {"conv1", 0, 1.0F / 3}}};
  save_checkpoint(checkpoint, path);
  EXPECT_EQ(load_checkpoint(path).quantization, checkpoint.quantization);
  EXPECT_EQ(read_checkpoint_summary(path).checkpoint.quantization, checkpoint.quantization);
  EXPECT_EQ(read_checkpoint_summary(path).format_version, 1);

  checkpoint.quantization->activations.push_back({"conv1", 0, 1});
  save_checkpoint(checkpoint, path);
  expect_error(ErrorKind::kData, {path, "conv1", "twice"}, [&] { load_checkpoint(path); });
  checkpoint.quantization->activations = {{"conv1", 2, 1}};
  save_checkpoint(checkpoint, path);
  expect_error(ErrorKind::kData, {path, "conv1 is 2 to 1"}, [&] { load_checkpoint(path); });
  checkpoint.quantization = {.pictures = 0, .activations = {}};
  save_checkpoint(checkpoint, path);
  expect_error(ErrorKind::kData, {path, "0 pictures"}, [&] { load_checkpoint(path); });
}

}  // namespace
}  // namespace resflow
