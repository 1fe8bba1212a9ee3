"""Small things all benches use: percentiles, CPU and memory of processes, formatting."""

from collections.abc import Iterable, Sequence

import psutil

Line = tuple[str, str, str, str, str]
"""What is measured, our figure, the raw path's, their ratio, the budget."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cpu_s(processes: Iterable[psutil.Process]) -> float:
    """Return the CPU seconds, user and system, that the processes have used so far."""
    return sum(process.cpu_times().user + process.cpu_times().system for process in processes)


def memory_mb(processes: Iterable[psutil.Process]) -> float:
    """Return the proportional set size of the processes together, in MB (shared pages counted once)."""
    return sum(process.memory_full_info().pss for process in processes) / 1e6


def ratio(ours: float, raw: float) -> str:
    """Return how many times the raw path's figure ours is."""
    return f"{ours / raw:.2f}"


def ms(seconds: float) -> str:
    """Return seconds as milliseconds."""
    return f"{seconds * 1000:.1f} ms"


def both(seconds: Sequence[float]) -> str:
    """Return the median and the 95th percentile of some seconds, as milliseconds."""
    return f"{percentile(seconds, 0.5) * 1000:.0f} / {percentile(seconds, 0.95) * 1000:.0f} ms"
