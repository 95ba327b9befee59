"""python -m bench [--training]: how fast we are beside the libraries, as ratios; below 1 we are faster."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

# Before any framework loads.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

from bench.measure import interleaved, store

RESULTS = Path(__file__).with_name("results.json")
LENGTHS = (32, 64, 128, 256, 512, 1024, 2048)


def layers(lengths: list[int], only: list[str] | None, rounds: int) -> list[dict[str, object]]:
    from bench.layers import LONGEST, PAIRS, batch_for

    found: list[dict[str, object]] = []
    print("ours / library, forward and backward: median [quartiles]")
    for name, make in PAIRS.items():
        if only and name not in only:
            continue
        for steps in (steps for steps in lengths if steps <= LONGEST.get(name, steps)):
            batch = batch_for(name, steps)
            figures = interleaved(*make(batch, steps), rounds=rounds)
            found.append({"pair": name, "steps": steps, "batch": batch, **figures})
            spread = f"{figures['ratio']:.2f} [{figures['q1']:.2f}, {figures['q3']:.2f}]"
            print(f"{name:15} T={steps:5} B={batch:3}  {spread}  {figures['ours_ms']:.2f} ms", flush=True)
    return found


def training(reviews: int, rounds: int) -> list[dict[str, object]]:
    from bench.training import lengths_of_reviews, one_epoch

    lengths = lengths_of_reviews(reviews, seed=0)
    padded, by_its_length = (one_epoch(lengths, by_length=by_length) for by_length in (False, True))
    figures = interleaved(padded, by_its_length, rounds=rounds, warm_up=1)
    print(f"padding to 500 takes {figures['ratio']:.2f} [{figures['q1']:.2f}, {figures['q3']:.2f}] times as long")
    return [{"reviews": reviews, "tokens": sum(lengths), **figures}]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--training", action="store_true", help="time training on real review lengths instead")
    parser.add_argument("--lengths", type=int, nargs="+", default=list(LENGTHS), metavar="T")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="PAIR",
        help="some of the pairs in bench/layers.py: torch_fused, torch_multi_head, keras_dot, …",
    )
    parser.add_argument("--rounds", type=int, default=None, help="pairs of runs behind each figure")
    parser.add_argument("--reviews", type=int, default=640, help="reviews in an epoch of --training")
    parser.add_argument("--dry", action="store_true", help="print, and leave results.json as it is")
    arguments = parser.parse_args()
    if min(arguments.lengths) < 1 or (arguments.rounds or 2) < 2 or arguments.reviews < 1:
        parser.error("lengths and reviews start at 1, rounds at 2")

    import torch

    torch.set_num_threads(2)
    if arguments.training:
        found = training(arguments.reviews, arguments.rounds or 5)
    else:
        found = layers(arguments.lengths, arguments.only, arguments.rounds or 30)
    if not arguments.dry:
        store(RESULTS, "training" if arguments.training else "layers", found, some=bool(arguments.only))


if __name__ == "__main__":
    main()
