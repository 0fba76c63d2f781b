// Denormal numbers: f32 values below 1.2e-38, on which CPUs compute up to a hundred times more slowly.
//
// Weights that have become tiny, moments of parameters that no longer learn and the activations behind them are such.
// That they count as zero changes no result but those that are themselves of such a size.
#pragma once

namespace resflow {

// In this thread, and in all that are made by it or by those from now on, results that are denormal become zero, and
// operands that are denormal count as zero. oneTBB's arenas take it over from the thread that makes them. It is a state
// of the process, so the program sets it and the libraries do not.
void flush_denormals();

}  // namespace resflow
