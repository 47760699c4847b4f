// Parameter updates over flat fp32 arrays, with PyTorch's formulas, and the small losses. Element-wise, so in place and
// independent of the number of threads.
#pragma once

#include <cstdint>

namespace pdarts::kernels {

// g = clip * grad + weight_decay * p;  buffer = momentum * buffer + g;  p -= learning_rate * buffer. The buffer starts
// as zeros. clip is the factor that gradient clipping by norm gives, 1 for none.
struct SgdArgs {
  float* params;
  float* momentum_buffer;
  const float* grads;
  int64_t count;
  float clip = 1, learning_rate = 0, momentum = 0, weight_decay = 0;
};
void SgdUpdate(const SgdArgs& args);

// torch.optim.Adam: weight decay is added to the gradient; moments start as zeros; `step` counts from 1 and corrects
// their bias.
struct AdamArgs {
  float* params;
  float* first_moment;
  float* second_moment;
  const float* grads;
  int64_t count;
  int64_t step;
  double clip = 1, learning_rate = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
};
void AdamUpdate(const AdamArgs& args);

// Cross entropy of softmax(logits [rows, classes]) with targets (1 - smoothing) * onehot(label) + smoothing / classes.
// losses [rows]; the mean over the rows is returned. Labels lie in [0, classes).
struct CrossEntropyArgs {
  const float* logits;
  const int32_t* labels;
  int64_t rows, classes;
  float smoothing = 0;
};
float SoftmaxCrossEntropy(const CrossEntropyArgs& args, float* losses);
// diff_logits [rows, classes] = diff_mean * (softmax - target) / rows, for the mean's gradient diff_mean.
void SoftmaxCrossEntropyBackward(const CrossEntropyArgs& args, float diff_mean, float* diff_logits);

// Softmax along the rows of [rows, columns], and its backward from its output. In place allowed.
void Softmax(const float* src, float* dst, int64_t rows, int64_t columns);
void SoftmaxBackward(const float* dst, const float* diff_dst, float* diff_src, int64_t rows, int64_t columns);

}  // namespace pdarts::kernels
