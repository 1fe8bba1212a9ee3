"""Figures of a process in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping

MAX_SERIES = 2_000
"""Of one figure: past it what is new is counted as `other`, so that no label can fill the memory."""
OTHER = "other"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)

Labels = tuple[str, ...]
REGISTRY: "dict[str, Figure]" = {}


class Figure:
    """One name with its series."""

    kind = "counter"

    def __init__(self, name: str, words: str, *labels: str) -> None:
        self.name, self.labels = name, labels
        self._words = words
        self._values: dict[Labels, float] = {}
        REGISTRY[name] = self

    def _known(self, values: tuple[object, ...], there: Mapping[Labels, object]) -> Labels:
        found = tuple(map(str, values))
        return found if found in there or len(there) < MAX_SERIES else (OTHER,) * len(self.labels)

    def lines(self) -> Iterator[str]:
        """Yield the figure as it is told."""
        yield f"# HELP {self.name} {self._words}"
        yield f"# TYPE {self.name} {self.kind}"
        yield from self._samples()

    def _samples(self) -> Iterator[str]:
        for values, amount in self._values.items():
            yield f"{self.name}{_braced(self.labels, values)} {amount:g}"


class Counter(Figure):
    """What only grows."""

    def add(self, *values: object, amount: float = 1) -> None:
        """Count so much for these values of the labels."""
        known = self._known(values, self._values)
        self._values[known] = self._values.get(known, 0.0) + amount


class Gauge(Figure):
    """What stands somewhere now."""

    kind = "gauge"

    def set(self, amount: float, *values: object) -> None:
        """Note where it stands."""
        self._values[self._known(values, self._values)] = amount


class Histogram(Figure):
    """How long something took, in seconds."""

    kind = "histogram"

    def __init__(self, name: str, words: str, *labels: str) -> None:
        super().__init__(name, words, *labels)
        self._counts: dict[Labels, list[int]] = {}

    def observe(self, seconds: float, *values: object) -> None:
        """Note one."""
        known = self._known(values, self._counts)
        counts = self._counts.setdefault(known, [0] * (len(SECONDS) + 1))
        counts[bisect_left(SECONDS, seconds)] += 1
        self._values[known] = self._values.get(known, 0.0) + seconds

    def _samples(self) -> Iterator[str]:
        for values, counts in self._counts.items():
            total = 0
            for most, count in zip((*SECONDS, "+Inf"), counts, strict=True):
                total += count
                yield f"{self.name}_bucket{_braced((*self.labels, 'le'), (*values, str(most)))} {total}"
            yield f"{self.name}_sum{_braced(self.labels, values)} {self._values[values]:g}"
            yield f"{self.name}_count{_braced(self.labels, values)} {total}"


REQUESTS = Counter("llm_ui_requests_total", "Requests to the LLM API.", "method", "path", "status")
REQUEST_SECONDS = Histogram("llm_ui_request_seconds", "Seconds until a request was answered to its end.", "path")
ANSWERS = Counter("llm_ui_answers_total", "Answers of models, by how they ended.", "via", "model", "status")
TOKENS = Counter("llm_ui_tokens_total", "Tokens sent to models and received.", "model", "direction")
COST = Counter("llm_ui_cost_usd_total", "What answers cost, in US dollars, as far as prices are known.", "model")
FIRST_TOKEN = Histogram(
    "llm_ui_first_token_seconds", "Seconds from the call of a provider to its first token.", "model"
)
RUNNING = Gauge("llm_ui_running", "Answers that are being written.", "via")
BREAKERS = Gauge("llm_ui_breakers_open", "Providers that are left alone for a while.")
PROBES = Counter("llm_ui_probes_total", "Probes of providers, by what they met.", "provider", "outcome")
WAITING = Gauge("llm_ui_waiting", "What waits to be worked on.", "what")
ERROR_REPORTS = Counter(
    "llm_ui_error_reports_total",
    "Unexpected errors for the Sentry-compatible address, by what became of them.",
    "outcome",
)
LOOP_DELAY = Histogram("llm_ui_event_loop_delay_seconds", "Seconds that the event loop was late.")


def exposition() -> str:
    """Return all figures."""
    return "".join(f"{line}\n" for figure in REGISTRY.values() for line in figure.lines())


def _braced(labels: Labels, values: Labels) -> str:
    if not labels:
        return ""
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(labels, values, strict=True))
    return "{" + pairs + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
