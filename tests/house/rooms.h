// The rooms of the house, and who may include whom: the one table that the test of arrows keeps.
#pragma once

#include <map>
#include <set>
#include <string>

namespace resflow::testing {

// A room: a folder that holds sources. -> rooms whose headers it may include besides its own.
using Arrows = std::map<std::string, std::set<std::string>>;

inline const Arrows& arrows() {
  static const Arrows kArrows = [] {
    Arrows may;
    const auto room = [&may](const std::string& name, const std::set<std::string>& directly) {
      // Whom a room may include, those it may include as well: arrows point down, so that they may be followed.
      std::set<std::string>& all = may[name];
      for (const std::string& below : directly) {
        all.insert(below);
        all.insert(may.at(below).begin(), may.at(below).end());
      }
    };
    // In this order no room can name one that comes later: there are no circles.
    room("io/core", {});
    room("io/files", {"io/core"});
    room("io/formats", {"io/files"});
    room("io/images", {"io/files"});
    room("io/checkpoint", {"io/files", "io/images"});
    room("io/pth", {"io/formats", "io/images"});
    room("io/weights", {"io/checkpoint", "io/pth"});
    room("io/pack", {"io/files"});
    room("io/pictures", {"io/pack", "io/images"});

    room("ops/kernels", {"io/core"});
    room("ops", {"io/core", "ops/kernels"});
    room("ops/pooling", {"ops"});
    room("graph/model", {"ops/pooling", "io/weights"});
    room("graph/plan", {"graph/model"});
    room("graph/train", {"graph/plan"});
    room("graph/head", {"io/checkpoint"});
    // The inner loops are what an op chooses of: nobody above ops knows them.
    for (auto& [name, below] : may)
      if (name != "ops" && name != "ops/pooling") below.erase("ops/kernels");

    room("pipeline/pixels", {"io/images"});
    room("pipeline", {"pipeline/pixels", "io/pictures", "io/checkpoint"});

    // The jobs: a library that takes a listener and knows neither options nor a terminal.
    room("apps/machine", {"io/files", "ops"});
    room("apps/pages", {"io/core"});
    room("apps/model", {"pipeline", "graph/plan"});
    room("apps/data", {"pipeline"});
    room("apps/score", {"graph/head", "graph/plan", "pipeline"});
    room("apps/evaluate", {"apps/score", "apps/data"});
    room("apps/report", {"apps/evaluate", "apps/machine", "apps/pages"});
    room("apps/inspect", {"apps/model", "apps/data", "apps/machine"});
    room("apps/train", {"apps/report", "apps/model", "graph/train"});

    // The program.
    room("apps/host", {"apps/machine", "io/files"});
    room("apps/options", {"apps/train", "apps/host"});
    room("apps/bench", {"apps/options"});
    room("apps/manual", {"graph/train"});
    room("apps", {"apps/bench", "apps/inspect", "apps/manual"});
    for (auto& [name, below] : may)
      if (name != "ops" && name != "ops/pooling") below.erase("ops/kernels");
    return may;
  }();
  return kArrows;
}

// Libraries that few rooms may use: the beginning of a header's name -> those rooms, or folders of rooms ("io").
inline const Arrows& libraries() {
  static const Arrows kLibraries = {
      {"dnnl", {"ops", "graph", "apps"}},
      {"oneapi/dnnl", {"ops", "graph", "apps"}},
      {"oneapi/tbb", {"ops", "graph", "pipeline", "apps"}},
      {"tbb/", {"ops", "graph", "pipeline", "apps"}},
      {"jpeglib", {"io/images", "apps/machine"}},
      {"png.h", {"io/images", "apps/machine"}},
      {"tiffio", {"io/images"}},
      {"webp/", {"io/images"}},
      {"minizip/", {"io/formats"}},
      {"libdeflate", {"io"}},
      {"archive", {"io/pictures"}},
      {"openssl/", {"io"}},
      {"onnx/", {"io/weights"}},
      {"linear.h", {"graph/head", "apps/machine"}},
      {"cairo", {"apps/data"}},
      {"google/protobuf", {"io", "apps/machine"}},
      {"nlohmann/", {"io", "apps"}},
      {"hwloc", {"apps/host"}},
      // Options belong to the program alone: its subcommands, apps/options, apps/bench and apps/manual.
      {"CLI/", {"apps", "apps/options", "apps/bench", "apps/manual"}},
      {"toml++", {"apps/options"}},
      {"mpi", {}},
  };
  return kLibraries;
}

}  // namespace resflow::testing
