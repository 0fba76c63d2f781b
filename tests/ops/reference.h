// What the ops must compute, by plain loops in f64. Tensors are row-major; a point is a flat index.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "tests/ops/cases.h"

namespace resflow::testing {

using Points = std::vector<int64_t>;
using Doubles = std::vector<double>;

struct Values {
  std::vector<Doubles> src;
  Doubles weight, bias, mean, var;  // batch norm's, and a convolution's or linear's own
  Doubles kernel;                   // of a folded convolution
};

struct Gradients {
  std::vector<Doubles> src;
  Doubles weight, bias;
};

constexpr double kEps = 1e-5;

inline Dims dst_dims(const OpCase& c) {
  const Dims& s = c.src;
  const auto out = [](int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation) {
    return (size + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
  };
  const ConvOptions& o = c.conv;
  switch (c.kind) {
    case Kind::kConv:
    case Kind::kFoldedConv:
      return {s[0], c.out, out(s[2], o.kernel, o.stride, o.pad, o.dilation),
              out(s[3], o.kernel, o.stride, o.pad, o.dilation)};
    case Kind::kMaxPool:
      return {s[0], s[1], out(s[2], c.pool.kernel, c.pool.stride, c.pool.pad, 1),
              out(s[3], c.pool.kernel, c.pool.stride, c.pool.pad, 1)};
    case Kind::kGlobalAvgPool:
      return {s[0], s[1], 1, 1};
    case Kind::kPadShortcut:
      return {s[0], c.out, (s[2] + c.stride - 1) / c.stride, (s[3] + c.stride - 1) / c.stride};
    case Kind::kLinear:
      return {s[0], c.out};
    default:
      return s;
  }
}

inline Dims weight_dims(const OpCase& c) {
  if (c.kind == Kind::kLinear) return {c.out, c.src[1]};
  return {c.out, c.src[1] / c.conv.groups, c.conv.kernel, c.conv.kernel};
}

// Convolution, pointwise.
struct ConvReference {
  const OpCase& c;
  Dims s = c.src, d = dst_dims(c);
  int64_t K = c.conv.kernel, I = c.src[1] / c.conv.groups, O = c.out / c.conv.groups;

  double dst(const Doubles& src, const Doubles& w, int64_t point) const {
    const int64_t x = point % d[3], y = point / d[3] % d[2], o = point / d[3] / d[2] % d[1],
                  n = point / d[3] / d[2] / d[1];
    const int64_t first = o / O * I;
    double sum = 0;
    for (int64_t i = 0; i < I; ++i)
      for (int64_t ky = 0; ky < K; ++ky)
        for (int64_t kx = 0; kx < K; ++kx) {
          const int64_t h = y * c.conv.stride - c.conv.pad + ky * c.conv.dilation;
          const int64_t v = x * c.conv.stride - c.conv.pad + kx * c.conv.dilation;
          if (h < 0 || h >= s[2] || v < 0 || v >= s[3]) continue;
          sum += src[((n * s[1] + first + i) * s[2] + h) * s[3] + v] * w[((o * I + i) * K + ky) * K + kx];
        }
    return sum;
  }

  double diff_src(const Doubles& diff_dst, const Doubles& w, int64_t point) const {
    const int64_t v = point % s[3], h = point / s[3] % s[2], i = point / s[3] / s[2] % s[1],
                  n = point / s[3] / s[2] / s[1];
    const int64_t first = i / I * O;
    double sum = 0;
    for (int64_t o = first; o < first + O; ++o)
      for (int64_t ky = 0; ky < K; ++ky)
        for (int64_t kx = 0; kx < K; ++kx) {
          const int64_t top = h + c.conv.pad - ky * c.conv.dilation, left = v + c.conv.pad - kx * c.conv.dilation;
          if (top < 0 || left < 0 || top % c.conv.stride != 0 || left % c.conv.stride != 0) continue;
          const int64_t y = top / c.conv.stride, x = left / c.conv.stride;
          if (y >= d[2] || x >= d[3]) continue;
          sum += diff_dst[((n * d[1] + o) * d[2] + y) * d[3] + x] * w[((o * I + i % I) * K + ky) * K + kx];
        }
    return sum;
  }

  double diff_weight(const Doubles& src, const Doubles& diff_dst, int64_t point) const {
    const int64_t kx = point % K, ky = point / K % K, i = point / K / K % I, o = point / K / K / I;
    const int64_t channel = o / O * I + i;
    double sum = 0;
    for (int64_t n = 0; n < s[0]; ++n)
      for (int64_t y = 0; y < d[2]; ++y)
        for (int64_t x = 0; x < d[3]; ++x) {
          const int64_t h = y * c.conv.stride - c.conv.pad + ky * c.conv.dilation;
          const int64_t v = x * c.conv.stride - c.conv.pad + kx * c.conv.dilation;
          if (h < 0 || h >= s[2] || v < 0 || v >= s[3]) continue;
          sum += src[((n * s[1] + channel) * s[2] + h) * s[3] + v] * diff_dst[((n * d[1] + o) * d[2] + y) * d[3] + x];
        }
    return sum;
  }
};

// Batch mean and biased variance of each channel, or the running ones in evaluation.
struct Moments {
  Doubles mean, var;
};

inline Moments moments(const OpCase& c, const Values& v) {
  if (!c.training) return {v.mean, v.var};
  const int64_t N = c.src[0], C = c.src[1], S = c.src[2] * c.src[3];
  Moments m{Doubles(C), Doubles(C)};
  for (int64_t k = 0; k < C; ++k) {
    for (int64_t n = 0; n < N; ++n)
      for (int64_t i = 0; i < S; ++i) m.mean[k] += v.src[0][(n * C + k) * S + i];
    m.mean[k] /= static_cast<double>(N * S);
    for (int64_t n = 0; n < N; ++n)
      for (int64_t i = 0; i < S; ++i) m.var[k] += std::pow(v.src[0][(n * C + k) * S + i] - m.mean[k], 2);
    m.var[k] /= static_cast<double>(N * S);
  }
  return m;
}

inline Doubles batch_norm_dst(const OpCase& c, const Values& v) {
  const Moments m = moments(c, v);
  const int64_t C = c.src[1], S = c.src[2] * c.src[3];
  Doubles dst(v.src[0].size());
  for (size_t i = 0; i < dst.size(); ++i) {
    const auto k = static_cast<int64_t>(i) / S % C;
    dst[i] = (v.src[0][i] - m.mean[k]) / std::sqrt(m.var[k] + kEps) * v.weight[k] + v.bias[k];
    if (c.residual) dst[i] += v.src[1][i];
    if (c.relu) dst[i] = std::max(dst[i], 0.0);
  }
  return dst;
}

inline Gradients batch_norm_gradients(const OpCase& c, const Values& v, const Doubles& diff_dst) {
  const Moments m = moments(c, v);
  const Doubles dst = batch_norm_dst(c, v);
  const int64_t C = c.src[1], S = c.src[2] * c.src[3];
  const auto count = static_cast<double>(c.src[0] * S);
  Doubles g = diff_dst;
  Gradients out{{Doubles(g.size())}, Doubles(C), Doubles(C)};
  for (size_t i = 0; i < g.size(); ++i) {
    const auto k = static_cast<int64_t>(i) / S % C;
    if (c.relu && dst[i] <= 0) g[i] = 0;
    out.bias[k] += g[i];
    out.weight[k] += g[i] * (v.src[0][i] - m.mean[k]) / std::sqrt(m.var[k] + kEps);
  }
  for (size_t i = 0; i < g.size(); ++i) {
    const auto k = static_cast<int64_t>(i) / S % C;
    const double inverse = 1 / std::sqrt(m.var[k] + kEps);
    out.src[0][i] = v.weight[k] * inverse *
                    (g[i] - out.bias[k] / count - (v.src[0][i] - m.mean[k]) * inverse * out.weight[k] / count);
  }
  if (c.residual) out.src.push_back(g);
  return out;
}

// The elements that share a mean and a variance with element i: a picture's group of channels.
struct NormGroup {
  const OpCase& c;
  int64_t S = c.src[2] * c.src[3], width = c.src[1] / c.groups;

  int64_t of(size_t i) const { return static_cast<int64_t>(i) / (S * width); }
  int64_t channel(size_t i) const { return static_cast<int64_t>(i) / S % c.src[1]; }
  double count() const { return static_cast<double>(S * width); }
};

inline Moments group_moments(const OpCase& c, const Values& v) {
  const NormGroup group{c};
  const auto groups = static_cast<size_t>(c.src[0] * c.groups);
  Moments m{Doubles(groups), Doubles(groups)};
  for (size_t i = 0; i < v.src[0].size(); ++i) m.mean[group.of(i)] += v.src[0][i] / group.count();
  for (size_t i = 0; i < v.src[0].size(); ++i)
    m.var[group.of(i)] += std::pow(v.src[0][i] - m.mean[group.of(i)], 2) / group.count();
  return m;
}

inline Doubles group_norm_dst(const OpCase& c, const Values& v) {
  const NormGroup group{c};
  const Moments m = group_moments(c, v);
  Doubles dst(v.src[0].size());
  for (size_t i = 0; i < dst.size(); ++i) {
    const int64_t k = group.of(i);
    dst[i] =
        (v.src[0][i] - m.mean[k]) / std::sqrt(m.var[k] + kEps) * v.weight[group.channel(i)] + v.bias[group.channel(i)];
    if (c.residual) dst[i] += v.src[1][i];
    if (c.relu) dst[i] = std::max(dst[i], 0.0);
  }
  return dst;
}

inline Gradients group_norm_gradients(const OpCase& c, const Values& v, const Doubles& diff_dst) {
  const NormGroup group{c};
  const Moments m = group_moments(c, v);
  const Doubles dst = group_norm_dst(c, v);
  Doubles g = diff_dst, sum(m.mean.size()), product(m.mean.size());
  const auto normal = [&](size_t i) {
    return (v.src[0][i] - m.mean[group.of(i)]) / std::sqrt(m.var[group.of(i)] + kEps);
  };
  Gradients out{{Doubles(g.size())}, Doubles(c.src[1]), Doubles(c.src[1])};
  for (size_t i = 0; i < g.size(); ++i) {
    if (c.relu && dst[i] <= 0) g[i] = 0;
    out.bias[group.channel(i)] += g[i];
    out.weight[group.channel(i)] += g[i] * normal(i);
    sum[group.of(i)] += g[i] * v.weight[group.channel(i)];
    product[group.of(i)] += g[i] * v.weight[group.channel(i)] * normal(i);
  }
  for (size_t i = 0; i < g.size(); ++i) {
    const int64_t k = group.of(i);
    out.src[0][i] = (g[i] * v.weight[group.channel(i)] - (sum[k] + normal(i) * product[k]) / group.count()) /
                    std::sqrt(m.var[k] + kEps);
  }
  if (c.residual) out.src.push_back(g);
  return out;
}

inline Doubles norm_dst(const OpCase& c, const Values& v) {
  return c.kind == Kind::kGroupNorm ? group_norm_dst(c, v) : batch_norm_dst(c, v);
}

// Of each element of dst the one of src that it is; -1: a zero.
inline Points shortcut_points(const OpCase& c) {
  const Dims s = c.src, d = dst_dims(c);
  const int64_t before = (d[1] - s[1]) / 2;
  Points points;
  for (int64_t n = 0; n < d[0]; ++n)
    for (int64_t k = 0; k < d[1]; ++k)
      for (int64_t y = 0; y < d[2]; ++y)
        for (int64_t x = 0; x < d[3]; ++x) {
          const bool there = k >= before && k < before + s[1];
          points.push_back(there ? ((n * s[1] + k - before) * s[2] + y * c.stride) * s[3] + x * c.stride : -1);
        }
  return points;
}

// Where each maximum lies.
inline Points max_points(const OpCase& c, const Values& v) {
  const Dims s = c.src, d = dst_dims(c);
  Points points(element_count(d));
  for (int64_t p = 0; p < element_count(d); ++p) {
    const int64_t x = p % d[3], y = p / d[3] % d[2], plane = p / d[3] / d[2];
    double best = -std::numeric_limits<double>::infinity();
    for (int64_t h = std::max<int64_t>(0, y * c.pool.stride - c.pool.pad);
         h < std::min(s[2], y * c.pool.stride - c.pool.pad + c.pool.kernel); ++h)
      for (int64_t w = std::max<int64_t>(0, x * c.pool.stride - c.pool.pad);
           w < std::min(s[3], x * c.pool.stride - c.pool.pad + c.pool.kernel); ++w) {
        const int64_t i = (plane * s[2] + h) * s[3] + w;
        if (v.src[0][i] > best) {
          best = v.src[0][i];
          points[p] = i;
        }
      }
  }
  return points;
}

// dst at `points`.
inline Doubles reference_dst(const OpCase& c, const Values& v, const Points& points) {
  Doubles all, out;
  const auto pick = [&] {
    for (const int64_t p : points) out.push_back(all[p]);
    return out;
  };
  const int64_t S = c.src.size() == 4 ? c.src[2] * c.src[3] : 1;
  switch (c.kind) {
    case Kind::kConv:
      for (const int64_t p : points) out.push_back(ConvReference{c}.dst(v.src[0], v.weight, p));
      return out;
    case Kind::kFoldedConv: {
      const Dims d = dst_dims(c);
      for (const int64_t p : points) {
        const int64_t k = p / d[3] / d[2] % d[1];
        double y = ConvReference{c}.dst(v.src[0], v.kernel, p);
        y = (y - v.mean[k]) / std::sqrt(v.var[k] + kEps) * v.weight[k] + v.bias[k];
        if (c.residual) y += v.src[1][p];
        out.push_back(c.relu ? std::max(y, 0.0) : y);
      }
      return out;
    }
    case Kind::kBatchNorm:
    case Kind::kGroupNorm:
      all = norm_dst(c, v);
      return pick();
    case Kind::kPadShortcut:
      for (const int64_t p : shortcut_points(c)) all.push_back(p < 0 ? 0 : v.src[0][p]);
      return pick();
    case Kind::kRelu:
      for (const double x : v.src[0]) all.push_back(std::max(x, 0.0));
      return pick();
    case Kind::kAdd:
      for (size_t i = 0; i < v.src[0].size(); ++i) all.push_back(v.src[0][i] + v.src[1][i]);
      return pick();
    case Kind::kMaxPool:
      for (const int64_t p : max_points(c, v)) all.push_back(v.src[0][p]);
      return pick();
    case Kind::kGlobalAvgPool:
      for (int64_t p = 0; p < c.src[0] * c.src[1]; ++p)
        all.push_back(std::accumulate(v.src[0].begin() + p * S, v.src[0].begin() + (p + 1) * S, 0.0) /
                      static_cast<double>(S));
      return pick();
    case Kind::kLinear:
      for (const int64_t p : points) {
        const int64_t o = p % c.out, n = p / c.out, I = c.src[1];
        double y = v.bias[o];
        for (int64_t i = 0; i < I; ++i) y += v.src[0][n * I + i] * v.weight[o * I + i];
        out.push_back(y);
      }
      return out;
  }
  return out;
}

// Gradients at `src_points` of every source and `weight_points` of the weight; the bias whole.
inline Gradients reference_gradients(const OpCase& c, const Values& v, const Doubles& diff_dst,
                                     const Points& src_points, const Points& weight_points) {
  Gradients out, all;
  const int64_t S = c.src.size() == 4 ? c.src[2] * c.src[3] : 1;
  switch (c.kind) {
    case Kind::kConv:
      out.src.resize(1);
      for (const int64_t p : src_points) out.src[0].push_back(ConvReference{c}.diff_src(diff_dst, v.weight, p));
      for (const int64_t p : weight_points) out.weight.push_back(ConvReference{c}.diff_weight(v.src[0], diff_dst, p));
      return out;
    case Kind::kLinear: {
      const int64_t I = c.src[1], N = c.src[0];
      out.src.resize(1);
      for (const int64_t p : src_points) {
        double sum = 0;
        for (int64_t o = 0; o < c.out; ++o) sum += diff_dst[p / I * c.out + o] * v.weight[o * I + p % I];
        out.src[0].push_back(sum);
      }
      for (const int64_t p : weight_points) {
        double sum = 0;
        for (int64_t n = 0; n < N; ++n) sum += diff_dst[n * c.out + p / I] * v.src[0][n * I + p % I];
        out.weight.push_back(sum);
      }
      out.bias.resize(c.out);
      for (size_t i = 0; i < diff_dst.size(); ++i) out.bias[i % c.out] += diff_dst[i];
      return out;
    }
    case Kind::kBatchNorm:
      all = batch_norm_gradients(c, v, diff_dst);
      break;
    case Kind::kGroupNorm:
      all = group_norm_gradients(c, v, diff_dst);
      break;
    case Kind::kPadShortcut: {
      all.src = {Doubles(v.src[0].size())};
      const Points points = shortcut_points(c);
      for (size_t i = 0; i < points.size(); ++i)
        if (points[i] >= 0) all.src[0][points[i]] += diff_dst[i];
      break;
    }
    case Kind::kRelu:
      all.src = {diff_dst};
      for (size_t i = 0; i < diff_dst.size(); ++i)
        if (v.src[0][i] <= 0) all.src[0][i] = 0;
      break;
    case Kind::kAdd:
      all.src = {diff_dst, diff_dst};
      break;
    case Kind::kMaxPool: {
      all.src = {Doubles(v.src[0].size())};
      const Points maxima = max_points(c, v);
      for (size_t i = 0; i < maxima.size(); ++i) all.src[0][maxima[i]] += diff_dst[i];
      break;
    }
    case Kind::kGlobalAvgPool:
      all.src = {Doubles(v.src[0].size())};
      for (size_t i = 0; i < v.src[0].size(); ++i)
        all.src[0][i] = diff_dst[i / static_cast<size_t>(S)] / static_cast<double>(S);
      break;
    case Kind::kFoldedConv:
      break;
  }
  for (const Doubles& whole : all.src) {
    out.src.emplace_back();
    for (const int64_t p : src_points) out.src.back().push_back(whole[p]);
  }
  for (const int64_t p : weight_points) out.weight.push_back(all.weight[p]);
  out.bias = all.bias;
  return out;
}

inline Points every_point(const Dims& dims) {
  Points points(element_count(dims));
  std::iota(points.begin(), points.end(), 0);
  return points;
}

}  // namespace resflow::testing
