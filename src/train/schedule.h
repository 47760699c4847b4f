// What changes from epoch to epoch, as pure functions of the epoch (from 0).
#pragma once

namespace pdarts::train {

// Dropout on skip-connects within a stage (paper, section 3.3.1; the decay is the published implementation's): linear
// while the alphas are frozen, initial (epochs - 1 - e)/epochs, then initial exp(-0.2 (e - frozen)).
double SkipDropoutRate(double initial, int epoch, int epochs, int frozen_epochs);

// Drop path rises linearly: final e/epochs.
double DropPathRate(double final_rate, int epoch, int epochs);

// A stage's last epochs are validated.
inline constexpr int kValidatedEpochs = 4;
inline bool IsValidated(int epoch, int epochs) { return epoch >= epochs - kValidatedEpochs; }

}  // namespace pdarts::train
