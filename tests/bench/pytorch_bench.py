#!/usr/bin/env python3
"""Times weight steps of the networks of `pdarts bench step` in PyTorch, and `pdarts` itself in the same run.

    python3 -m venv DIR && DIR/bin/pip install torch        # outside the checkout
    DIR/bin/python tests/bench/pytorch_bench.py --pdarts build/pdarts --threads 2 [--stages 1 3 cifar] [--batches 32 96]

For each stage pdarts goes first, then PyTorch in each mode and batch: eager, channels_last, compile, compile with
channels_last; the fastest of all per image is the peer. The networks follow the paper and the published
implementation; operations left at stages 2 and 3 are taken from pdarts' report, so both run the same network.
A weight step is: forward in training mode, loss, backward to the weights alone (the architecture parameters want no
gradient here, which is to PyTorch's advantage), clipping of the gradients' norm, SGD with momentum.
"""
import argparse
import json
import statistics
import subprocess
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F

# The paper's best cell: (operation, input) two an inner node; inputs 0 and 1 are the two cells before.
PDARTS_NORMAL = [("skip_connect", 0), ("dil_conv_3x3", 1), ("skip_connect", 0), ("sep_conv_3x3", 1),
                 ("sep_conv_3x3", 1), ("sep_conv_3x3", 3), ("sep_conv_3x3", 0), ("dil_conv_5x5", 4)]
PDARTS_REDUCE = [("avg_pool_3x3", 0), ("sep_conv_5x5", 1), ("sep_conv_3x3", 0), ("dil_conv_5x5", 2),
                 ("max_pool_3x3", 0), ("dil_conv_3x3", 1), ("dil_conv_3x3", 1), ("dil_conv_5x5", 3)]
CELLS_OF_STAGE = {"1": 5, "2": 11, "3": 17}
SKIP_DROPOUT = {"1": 0.0, "2": 0.4, "3": 0.7}
CHANNELS = {"cifar": 36, "cifar-large": 64}
DROP_PATH = 0.15


def conv_bn(c_in, c_out, affine, kernel=1, stride=1, padding=0):
    return [nn.Conv2d(c_in, c_out, kernel, stride, padding, bias=False), nn.BatchNorm2d(c_out, affine=affine)]


def separable(c, kernel, stride, affine):
    def half(s):
        return [nn.ReLU(), nn.Conv2d(c, c, kernel, s, kernel // 2, groups=c, bias=False), *conv_bn(c, c, affine)]
    return nn.Sequential(*half(stride), *half(1))


def dilated(c, kernel, stride, affine):
    return nn.Sequential(nn.ReLU(), nn.Conv2d(c, c, kernel, stride, kernel - 1, 2, groups=c, bias=False),
                         *conv_bn(c, c, affine))


class FactorizedReduce(nn.Module):
    def __init__(self, c_in, c_out, affine):
        super().__init__()
        self.first = nn.Conv2d(c_in, c_out // 2, 1, 2, bias=False)
        self.second = nn.Conv2d(c_in, c_out // 2, 1, 2, bias=False)
        self.bn = nn.BatchNorm2d(c_out, affine=affine)

    def forward(self, x):
        x = F.relu(x)
        return self.bn(torch.cat([self.first(x), self.second(x[:, :, 1:, 1:])], 1))


class Zero(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, ::self.stride, ::self.stride] * 0


def operation(name, c, stride, affine):
    kernel = int(name[-1]) if name[-1].isdigit() else 0
    if name == "none":
        return Zero(stride)
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, stride, 1)
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride, 1, count_include_pad=False)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(c, c, affine)
    return (separable if name.startswith("sep") else dilated)(c, kernel, stride, affine)


class MixedOperation(nn.Module):
    def __init__(self, names, c, stride, dropout):
        super().__init__()
        self.operations = nn.ModuleList()
        for name in names:
            op = operation(name, c, stride, affine=False)
            if "pool" in name:
                op = nn.Sequential(op, nn.BatchNorm2d(c, affine=False))
            if name == "skip_connect" and stride == 1 and dropout > 0:
                op = nn.Sequential(op, nn.Dropout(dropout))
            self.operations.append(op)

    def forward(self, x, weights):
        return sum(w * op(x) for w, op in zip(weights, self.operations))


class CellInputs(nn.Module):
    """The two 1x1 convolutions that bring a cell's inputs to its width."""

    def __init__(self, c_before, c_last, c, reduction_before, affine):
        super().__init__()
        self.first = (FactorizedReduce(c_before, c, affine) if reduction_before
                      else nn.Sequential(nn.ReLU(), *conv_bn(c_before, c, affine)))
        self.second = nn.Sequential(nn.ReLU(), *conv_bn(c_last, c, affine))

    def forward(self, before, last):
        return [self.first(before), self.second(last)]


class SearchCell(nn.Module):
    def __init__(self, edges, c_before, c_last, c, reduction, reduction_before, dropout):
        super().__init__()
        self.inputs = CellInputs(c_before, c_last, c, reduction_before, affine=False)
        self.edges = nn.ModuleList()
        for node in range(4):
            for source in range(2 + node):
                stride = 2 if reduction and source < 2 else 1
                self.edges.append(MixedOperation(edges[len(self.edges)], c, stride, dropout))

    def forward(self, before, last, weights):
        states, edge = self.inputs(before, last), 0
        for node in range(4):
            states.append(sum(self.edges[edge + i](x, weights[edge + i]) for i, x in enumerate(states)))
            edge += 2 + node
        return torch.cat(states[2:], 1)


class FixedCell(nn.Module):
    def __init__(self, cell, c_before, c_last, c, reduction, reduction_before):
        super().__init__()
        self.inputs = CellInputs(c_before, c_last, c, reduction_before, affine=True)
        self.sources = [source for _, source in cell]
        self.operations = nn.ModuleList(
            operation(name, c, 2 if reduction and source < 2 else 1, affine=True) for name, source in cell)

    def forward(self, before, last):
        states = self.inputs(before, last)
        for node in range(len(self.sources) // 2):
            total = 0
            for i in (2 * node, 2 * node + 1):
                y = self.operations[i](states[self.sources[i]])
                if not isinstance(self.operations[i], nn.Identity):
                    keep = torch.empty(y.shape[0], 1, 1, 1).bernoulli_(1 - DROP_PATH)
                    y = y / (1 - DROP_PATH) * keep
                total = total + y
            states.append(total)
        return torch.cat(states[2:], 1)


class Network(nn.Module):
    """Supernet where `operations` are given, else the evaluation network with its auxiliary head."""

    def __init__(self, cells, c, operations=None, dropout=0.0):
        super().__init__()
        affine_stem = conv_bn(3, 3 * c, True, 3, 1, 1)
        self.stem, self.searching, self.auxiliary_at = nn.Sequential(*affine_stem), operations is not None, -1
        self.cells = nn.ModuleList()
        c_before = c_last = 3 * c
        reduction_before = False
        for i in range(cells):
            reduction = i in (cells // 3, 2 * cells // 3)
            c = 2 * c if reduction else c
            kind = "reduce" if reduction else "normal"
            if self.searching:
                cell = SearchCell(operations[kind], c_before, c_last, c, reduction, reduction_before, dropout)
            else:
                cell = FixedCell(PDARTS_REDUCE if reduction else PDARTS_NORMAL, c_before, c_last, c, reduction,
                                 reduction_before)
            cell.kind = kind
            self.cells.append(cell)
            c_before, c_last, reduction_before = c_last, 4 * c, reduction
            if i == 2 * cells // 3 and not self.searching:
                self.auxiliary_at = i
                self.auxiliary = nn.Sequential(
                    nn.ReLU(), nn.AvgPool2d(5, 3, 0, count_include_pad=False), *conv_bn(c_last, 128, True), nn.ReLU(),
                    *conv_bn(128, 768, True, 2), nn.ReLU(), nn.Flatten(), nn.Linear(768, 10))
        self.classifier = nn.Linear(c_last, 10)
        if self.searching:
            for kind in ("normal", "reduce"):
                self.register_buffer("alphas_" + kind, 1e-3 * torch.randn(14, len(operations[kind][0])))

    def forward(self, images):
        before = last = self.stem(images)
        auxiliary = None
        for i, cell in enumerate(self.cells):
            if self.searching:
                weights = F.softmax(self.alphas_reduce if cell.kind == "reduce" else self.alphas_normal, 1)
                before, last = last, cell(before, last, weights)
            else:
                before, last = last, cell(before, last)
            if i == self.auxiliary_at:
                auxiliary = self.auxiliary(last)
        return self.classifier(last.mean((2, 3))), auxiliary


def build(stage, operations):
    torch.manual_seed(1)
    if stage in CELLS_OF_STAGE:
        return Network(CELLS_OF_STAGE[stage], 16, operations, SKIP_DROPOUT[stage])
    return Network(20, CHANNELS[stage])


def time_steps(network, batch, channels_last, compiled, steps):
    """Median, min and max of a weight step in ms, and the seconds that warming up (compiling) took."""
    images, labels = torch.randn(batch, 3, 32, 32), torch.randint(10, (batch,))
    if channels_last:
        network, images = network.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    forward = torch.compile(network) if compiled else network
    parameters = list(network.parameters())
    optimizer = torch.optim.SGD(parameters, 0.025, momentum=0.9, weight_decay=3e-4)

    def step():
        optimizer.zero_grad(set_to_none=True)
        logits, auxiliary = forward(images)
        loss = F.cross_entropy(logits, labels)
        if auxiliary is not None:
            loss = loss + 0.4 * F.cross_entropy(auxiliary, labels)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 5)
        optimizer.step()
        return loss.item()

    start = time.perf_counter()
    for _ in range(2):
        step()
    warm_up = time.perf_counter() - start
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return {"median_ms": statistics.median(times), "min_ms": min(times), "max_ms": max(times),
            "ms_per_image": statistics.median(times) / batch, "warm_up_s": warm_up}


def bench_stage(stage, args):
    command = [args.pdarts, "bench", "step", "--stage", stage, "--batch", str(args.pdarts_batch), "--threads",
               str(args.threads), "--steps", str(args.steps), "--json"]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    own = report["weight_step"]["ms_per_image"]
    print(f"{stage:12} pdarts                      batch {report['batch']:4}  {own:8.2f} ms per image", flush=True)
    runs = []
    for mode in args.modes:
        for batch in args.batches:
            torch.compiler.reset()
            network = build(stage, report.get("operations")).train()
            run = time_steps(network, batch, "channels_last" in mode, "compile" in mode, args.steps)
            runs.append({"mode": mode, "batch": batch, **run})
            print(f"{stage:12} PyTorch {mode:19} batch {batch:4}  {run['ms_per_image']:8.2f} ms per image, "
                  f"warm-up {run['warm_up_s']:.0f} s", flush=True)
    best = min(runs, key=lambda run: run["ms_per_image"])
    ratio = best["ms_per_image"] / own
    print(f"{stage:12} pdarts is {ratio:.2f} times as fast as the fastest ({best['mode']}, batch {best['batch']})",
          flush=True)
    return {"stage": stage, "pdarts": report["weight_step"], "pytorch": runs, "ratio": ratio}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pdarts", required=True, help="the binary to compare with")
    parser.add_argument("--stages", nargs="+", default=["1", "3", "cifar"], choices=[*CELLS_OF_STAGE, *CHANNELS])
    parser.add_argument("--batches", nargs="+", type=int, default=[32, 96])
    parser.add_argument("--modes", nargs="+", default=["eager", "channels_last", "compile", "compile+channels_last"])
    parser.add_argument("--pdarts-batch", type=int, default=96)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--out", help="a file for all numbers, as JSON")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"PyTorch {torch.__version__}, {args.threads} threads, {torch.backends.cpu.get_cpu_capability()}")
    results = []
    for stage in args.stages:
        results.append(bench_stage(stage, args))
        if args.out:
            with open(args.out, "w") as f:
                json.dump({"pytorch": torch.__version__, "threads": args.threads, "results": results}, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
