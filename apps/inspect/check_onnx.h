// An exported file run by onnxruntime beside resflow.
//
// Debian has no onnxruntime for C++, so a Python that has it runs the file: a process of its own.
#pragma once

#include <string>

#include "graph/model/model.h"
#include "io/checkpoint/description.h"

namespace resflow {

struct OnnxCheck {
  bool ran = false;
  std::string reason;           // why it has not run: "python3 has no onnxruntime ..."
  std::string version;          // of the onnxruntime that ran
  int pictures = 0;             // that were compared
  double worst_difference = 0;  // max |d| / max |logit| of a picture; infinite where a logit is not finite
  bool same_top1 = true;        // the best class of each; rounding decides between equal ones

  bool agrees() const { return ran && worst_difference <= kTolerance && same_top1; }
  static constexpr double kTolerance = 1e-4;
};

// Scores drawn pictures, one alone and three in a batch, both ways. `python` is the interpreter; empty: that of
// $RESFLOW_PYTHON, else python3. It has not run where there is no such program, where it has no onnxruntime, and
// where resflow's own logits are not finite.
// Throws Error{kData} where onnxruntime refuses the file or stops (with its own last words), Error{kSystem} where
// temporary files or the process cannot be made.
OnnxCheck check_onnx(const std::string& onnx_path, Model& model, const Preprocessing& preprocessing,
                     const std::string& python = {});

}  // namespace resflow
