"""``hebbware report``: its numbers, its figures, its page in a browser, and what it refuses."""

import csv
import json
import os
import random
import re
import shutil
import statistics
import subprocess
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from hebbware.cli import main
from hebbware.cli import report as command
from hebbware.golden.config import load as preset
from hebbware.golden.config.kinds import dotted
from hebbware.study import axes, drawing, figures, report, results
from hebbware.study.store import Store, run_name

CODE = "0123456789abcdef"
SEEDS = (0, 1, 2)
BITS, ROUNDINGS = (4, 8, 16), ("floor", "nearest", "stochastic")
BASE = {k: v for k, v in preset("digits").to_dict().items() if k != "seed"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def key(seed, control=None, code=CODE, epochs=3, **fields):
    return {
        "config": {**BASE, "update.rounding": "stochastic", **dotted(fields)},
        "seed": seed,
        "dataset": {"name": "digits", "sha256": "d" * 64},
        "epochs": epochs,
        "train_samples": 1189,
        "validation": 108,
        "test": True,
        "control": control,
        "code": code,
    }


def done(key, accuracy, bits=1000, lut=None, counts=(10, 20, 30), test=None):
    """A result whose accuracy on validation ends there."""
    curve = [accuracy - 0.2, accuracy - 0.1, accuracy]
    cost = {
        "memory_bits": bits,
        "weight_bits_total": bits // 2,
        "multiplier_bits": [12, 18],
        "nonzero_inputs": 32,
        "multiplies_per_sample": counts[0],
        "memory_reads_per_sample": counts[1],
        "memory_writes_per_sample": counts[2],
        "clocks_per_sample": 99,
        "estimate": {"lut": lut, "dsp": 4, "bram": 2, "marked": "estimate", "error": 0.3},
    }
    alone = key["control"] in ("linear", "float")
    return {
        "key": key,
        "status": "done",
        "error": None,
        "result": {
            "train": [None] * 3 if alone else curve,
            "validation": curve,
            "test": accuracy - 0.01 if test is None else test,
        },
        "cost": None if alone else cost,
    }


def failed(key, error="ValueError: it <broke> & fell"):
    return {"key": key, "status": "failed", "error": error, "result": None, "cost": None}


def accuracy(bits, rounding, seed):
    """Made up, and no two alike."""
    return 0.3 + 0.035 * bits + 0.05 * ROUNDINGS.index(rounding) - 0.004 * (seed - 1) * (seed + 1)


def study(folder, code=CODE, linear=True, lut=lambda bits: 50 * bits):
    """Weight bits x rounding with two controls, one run failed and one not yet run."""
    store, points = Store(folder, code), []
    for bits in BITS:
        for rounding in ROUNDINGS:
            names, beside = [], {"frozen": [], "linear": []}
            for seed in SEEDS:
                at = key(seed, code=code, formats__weight_bits=bits, update__rounding=rounding)
                names.append(run_name(at))
                value = accuracy(bits, rounding, seed)
                if (bits, rounding, seed) == (16, "floor", 1):
                    store.write(failed(at))
                elif (bits, rounding, seed) != (16, "floor", 2):
                    store.write(done(at, value, 100 * bits, lut(bits), (bits, 20, 30)))
                at |= {"control": "frozen", "config": at["config"] | {"memory.kind": "none"}}
                beside["frozen"].append(store.write(done(at, 0.2 + 0.01 * bits)))
                if linear:
                    beside["linear"].append(store.write(done(key(seed, "linear", code), 0.7)))
            points.append(
                {
                    "values": {"formats.weight_bits": bits, "update.rounding": rounding},
                    "runs": names,
                    "controls": beside,
                }
            )
    part = {
        "name": "weights",
        "title": "Weights & rounding",
        "spec": "made",
        "fields": ["formats.weight_bits", "update.rounding"],
        "points": points,
    }
    store.write_plan("made", {"name": "made", "title": "A <made> study", "parts": [part]})
    return folder


def points_of(settings):
    """Plan points of runs that stand for themselves."""
    return [{"values": {}, "runs": names, "controls": {}} for names in settings]


def plan(store, fields, settings, name="part"):
    part = {"name": name, "title": name, "spec": name, "fields": fields}
    part["points"] = points_of(settings)
    store.write_plan(name, {"name": name, "title": name, "parts": [part]})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return study(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    """The command's files, and what it wrote as JSON."""
    target = tmp_path_factory.mktemp("target")
    out = target / "out.json"
    assert main.main(["report", str(folder), "--output", str(target), "--json", str(out)]) == 0
    return SimpleNamespace(folder=target, json=json.loads(out.read_text()))


# -- numbers ----------------------------------------------------------------------------------


def test_means_and_spreads(made):
    (panel,) = made.json["panels"]
    assert panel["axes"] == {"formats.weight_bits": list(BITS), "update.rounding": list(ROUNDINGS)}
    assert len(panel["points"]) == 9
    for point in panel["points"]:
        bits, rounding = point["settings"].values()
        seeds = (0,) if (bits, rounding) == (16, "floor") else SEEDS
        values = [accuracy(bits, rounding, seed) for seed in seeds]
        assert point["seeds"] == list(seeds)
        assert point["validation"]["mean"] == pytest.approx(sum(values) / len(values), abs=1e-12)
        assert point["test"]["mean"] == pytest.approx(sum(values) / len(values) - 0.01, abs=1e-12)
        deviation = statistics.stdev(values) if len(values) > 1 else None
        assert point["validation"]["deviation"] == pytest.approx(deviation, abs=1e-12)


def test_golden_numbers(made):
    """By hand: 8 bits, nearest: 0.3 + 0.28 + 0.05 = 0.63, and seeds 0, 1, 2 add 0.004 0 -0.012."""
    point = made.json["panels"][0]["points"][4]
    assert point["settings"] == {"formats.weight_bits": 8, "update.rounding": "nearest"}
    assert point["validation"]["mean"] == pytest.approx(0.63 - 0.008 / 3, abs=1e-12)
    assert point["validation"]["deviation"] == pytest.approx(
        np.sqrt((20**2 + 8**2 + 28**2) / 9 / 2) / 1000, abs=1e-12
    )


def test_counts(made):
    found = made.json
    assert (found["runs"], found["done"], found["failed"]) == (26 + 27 + 3, 55, 1)
    assert (found["planned"], found["left_out"], found["code"]) == (57, 0, CODE)
    assert found["title"] == "A <made> study"
    assert found["panels"][0]["failed"][0]["error"] == "ValueError: it <broke> & fell"


def test_controls_once_for_all_settings_or_for_each(made):
    controls = made.json["panels"][0]["controls"]
    assert sum(entry["control"] == "linear" for entry in controls) == 1
    frozen = [entry for entry in controls if entry["control"] == "frozen"]
    assert len(frozen) == 9
    assert frozen[0]["validation"]["mean"] == pytest.approx(0.24)


def brute_front(points):
    """Indices of the pairs (cost, accuracy) that no other one beats."""
    return {
        n
        for n, (cost, value) in enumerate(points)
        if not any(c <= cost and v >= value and (c < cost or v > value) for c, v in points)
    }


def test_pareto_front_is_that_of_brute_force():
    rng = random.Random(5)
    for count in [1, 2, 3, 5, 8, 13, 40] * 30:
        points = [(rng.randrange(8), rng.randrange(8)) for _ in range(count)]
        numbered = [(*point, n) for n, point in enumerate(points)]
        front = results.pareto(numbered, cost=lambda p: p[0], accuracy=lambda p: p[1])
        assert {n for *_, n in front} == brute_front(points)
        assert len(set(front)) == len(front)
        assert [cost for cost, *_ in front] == sorted(cost for cost, *_ in front)


def test_fronts_of_a_study(made):
    panel = made.json["panels"][0]
    assert set(panel["pareto"]) == {"memory-bits", "lut", "multiplies", "accesses"}
    means = [point["validation"]["mean"] for point in panel["points"]]
    costs = {
        "memory-bits": [point["cost"]["memory_bits"] for point in panel["points"]],
        "lut": [point["cost"]["estimate"]["lut"] for point in panel["points"]],
        "multiplies": [point["cost"]["multiplies_per_sample"] for point in panel["points"]],
        "accesses": [50] * 9,
    }
    for name, cost in costs.items():
        assert set(panel["pareto"][name]) == brute_front(list(zip(cost, means, strict=True)))


def test_estimates_within_their_error_have_no_front(tmp_path):
    """Whatever the accuracies: LUTs of 1,004 to 1,016, each perhaps 30 % off, order nothing."""
    from hebbware.study.plots import pareto

    found = report.load(study(tmp_path, lut=lambda bits: 1000 + bits))
    (panel,) = found.panels
    summary = report.summary(found)["panels"][0]
    assert set(summary["pareto"]) == {"memory-bits", "multiplies", "accesses"}
    reason = "no Pareto front: estimates differ by 1 %, less than the 30 % that they may be off"
    assert summary["undecided"] == {"lut": reason}
    (figure,) = (f for f in figures.draw(found) if f.name == "weights-pareto-lut")
    assert f"{reason[1:]}." in figure.caption
    assert "Stepped" not in figure.caption
    lut = next(cost for cost in results.COSTS if cost.name == "lut")
    (axes,) = pareto(panel, lut, "validation", []).axes
    assert not [line for line in axes.lines if line.get_drawstyle().startswith("steps")]
    assert axes.get_xlabel().endswith(reason)


# -- axes and charts --------------------------------------------------------------------------


def test_zipped_fields_are_one_axis():
    settings = [{"a": 1, "b": 8, "c": 0}, {"a": 2, "b": 6, "c": 0}, {"a": 3, "b": 6, "c": 0}]
    (axis,) = axes.find_axes(settings)
    assert axis.fields == ("a", "b")
    assert axis.values == ((1, 8), (2, 6), (3, 6))
    (axis,) = axes.find_axes([{"a": 3, "b": 6}, {"a": 1, "b": 8}])  # each determines the other
    assert (axis.fields, axis.values) == (("a", "b"), ((1, 8), (3, 6)))


def test_fields_varied_one_at_a_time_are_two_axes():
    settings = [{"a": 1, "b": 8}, {"a": 2, "b": 8}, {"a": 1, "b": 6}]
    assert [axis.fields for axis in axes.find_axes(settings)] == [("a",), ("b",)]


def test_values_are_in_order():
    words = [{"update.rounding": word} for word in ("stochastic", "floor", "nearest")]
    assert [v for (v,) in axes.find_axes(words)[0].values] == list(ROUNDINGS)
    lists = [{"layer.rate": steps} for steps in ([10, 5], [9, 6], [9, 5])]
    assert [v for (v,) in axes.find_axes(lists)[0].values] == [(9, 5), (9, 6), (10, 5)]


def test_second_axis_is_lines(folder):
    (panel,) = report.load(folder).panels
    (chart,) = panel.charts
    assert (chart.axis.name, chart.by.name) == ("formats.weight_bits", "update.rounding")
    assert chart.fixed == {}
    assert [line.value for line in chart.lines] == [(word,) for word in ROUNDINGS]
    assert [list(line.points) for line in chart.lines] == [[(bits,) for bits in BITS]] * 3
    linear, frozen = chart.controls
    assert (linear.name, linear.value, list(linear.points)) == ("linear", None, [None])
    assert (frozen.name, frozen.value) == ("frozen", ("stochastic",))
    assert list(frozen.points) == [(bits,) for bits in BITS]


def test_one_chart_for_each_of_single_axes(tmp_path):
    store = Store(tmp_path, CODE)
    settings = [{}, {"memory.horizon": 9}, {"memory.horizon": 7}, {"formats.exp_bits": 5}]
    names = [[store.write(done(key(s, **f), 0.9 + 0.01 * s)) for s in SEEDS] for f in settings]
    plan(store, ["memory.horizon", "formats.exp_bits"], names)
    (panel,) = report.load(tmp_path).panels
    assert [(c.axis.name, c.by, len(c.points)) for c in panel.charts] == [
        ("memory.horizon", None, 3),
        ("formats.exp_bits", None, 2),
    ]


def test_third_axis_is_a_chart_for_each_value(tmp_path):
    store, names = Store(tmp_path, CODE), []
    for a in (5, 6):
        for b in ("floor", "nearest"):
            for c in (7, 8, 9):
                fields = {"formats.exp_bits": a, "update.rounding": b, "memory.horizon": c}
                names.append([store.write(done(key(0, **fields), 0.5))])
    plan(store, ["memory.horizon", "formats.exp_bits", "update.rounding"], names)
    (panel,) = report.load(tmp_path).panels
    found = [(c.axis.name, c.by.name, c.fixed) for c in panel.charts]
    assert found[:2] == [
        ("memory.horizon", "update.rounding", {"formats.exp_bits": 5}),
        ("memory.horizon", "update.rounding", {"formats.exp_bits": 6}),
    ]
    names = [figure.name for figure in figures.draw(report.load(tmp_path))]
    assert len(set(names)) == len(names)


def test_single_seed_has_no_spread(tmp_path):
    store = Store(tmp_path, CODE)
    plan(
        store,
        ["memory.horizon"],
        [[store.write(done(key(0, memory__horizon=h), 0.5))] for h in (7, 9)],
    )
    found = report.summary(report.load(tmp_path))
    assert [p["validation"] for p in found["panels"][0]["points"]] == [
        {"mean": 0.5, "deviation": None}
    ] * 2
    assert main.main(["report", str(tmp_path)]) == 0


def test_specifications_share_results(tmp_path):
    store = Store(tmp_path, CODE)
    runs = [[store.write(done(key(0, memory__horizon=h), 0.5))] for h in (6, 7, 8, 9)]
    plan(store, ["memory.horizon"], runs[:2], "first")
    plan(store, ["memory.horizon"], runs[1:3], "second")
    found = report.load(tmp_path)
    assert [len(panel.points) for panel in found.panels] == [2, 2]
    assert (len(found.runs), found.planned, found.left_out) == (3, 3, 1)


# -- figures ----------------------------------------------------------------------------------


def test_files(made):
    names = {path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*.*")}
    drawn = ["weights-formats-weight_bits", "weights-formats-weight_bits-curves"]
    drawn += [f"weights-pareto-{cost}" for cost in ("memory-bits", "lut", "multiplies")]
    expected = {f"figures/{name}.{kind}" for name in drawn for kind in ("png", "svg")}
    assert names == expected | {"index.html", "out.json", "runs.csv"}
    for name in drawn:
        assert (made.folder / f"figures/{name}.png").read_bytes().startswith(b"\x89PNG\r\n")
        root = ElementTree.parse(made.folder / f"figures/{name}.svg").getroot()
        assert root.tag.endswith("svg")
        assert not list(root.iter("{http://www.w3.org/2000/svg}metadata"))  # no date, no version
    assert {path.removeprefix(str(made.folder) + "/") for path in made.json["files"]} == (
        expected | {"index.html", "runs.csv"}
    )


def test_table_has_every_run_with_its_accuracy(made, folder):
    with (made.folder / "runs.csv").open(newline="") as file:
        lines = {line["run"]: line for line in csv.DictReader(file)}
    stored = {path.stem: json.loads(path.read_bytes()) for path in folder.glob("*.json")}
    assert lines.keys() <= stored.keys()
    assert len(lines) == made.json["done"] + made.json["failed"]
    for name, line in lines.items():
        content = stored[name]
        assert int(line["seed"]) == content["key"]["seed"]
        assert (line["control"] or None) == content["key"]["control"]
        if content["status"] == "done":
            assert float(line["validation"]) == content["result"]["validation"][-1]
            assert float(line["test"]) == content["result"]["test"]
        else:
            assert line["failed"] == content["error"]


def test_same_results_give_the_same_bytes(folder, made):
    for name, content in report.render(report.load(folder)).items():
        assert (made.folder / name).read_bytes() == content, name


def test_points_of_a_figure(folder):
    """What is drawn, read back from the axes: means, bars, seeds, controls."""
    from hebbware.study.plots import against

    (panel,) = report.load(folder).panels
    canvas = against(panel, panel.charts[0])
    validation, test = canvas.axes
    assert [axes.get_title("left") for axes in canvas.axes] == [
        "digits, validation",
        "digits, test",
    ]
    assert validation.get_xlabel() == "weight width, bits"
    assert validation.get_ylabel() == "accuracy, %\n(stretched towards 100)"
    container = validation.containers[2]  # stochastic
    values = [[100 * accuracy(bits, "stochastic", s) for s in SEEDS] for bits in BITS]
    assert np.allclose(container[0].get_ydata(), np.mean(values, axis=1))
    bars = [segment[:, 1] for segment in container[2][0].get_segments()]
    spread = np.std(values, axis=1, ddof=1)
    assert np.allclose(np.ptp(bars, axis=1), 2 * spread)
    dots = [line.get_ydata() for line in validation.lines if line.get_marker() == "."]
    assert any(np.allclose(sorted(dot), sorted(values[1])) for dot in dots)
    level = [line.get_ydata() for line in validation.lines if list(line.get_xdata()) == [0, 1]]
    assert np.allclose(level, 70)
    assert {text.get_text() for text in validation.texts} == {"linear 70.0", "frozen, stochastic"}


def test_bars_end_at_100():
    below, above = drawing.bars_of([results.Spread((1.0, 0.8)), results.Spread((0.5,))])
    assert np.allclose(below, [np.sqrt(200), 0])
    assert np.allclose(above, [10, 0])


def test_stretched_scale_is_invertible_up_to_100():
    values = np.array([0, 10, 50, 90, 99, 99.9, 100])
    assert np.allclose(drawing._unstretch(drawing._stretch(values)), values)
    assert (np.diff(drawing._stretch(values)) > 0).all()


def test_texts_at_the_right_are_apart():
    rng = random.Random(3)
    for _ in range(200):
        heights = sorted(rng.random() for _ in range(rng.randrange(1, 8)))
        placed = drawing._apart(heights, 0.06)
        assert (np.diff(placed) >= 0.06 - 1e-12).all()
        assert 0 <= placed[0] <= placed[-1] <= 1 + 1e-12
    assert np.allclose(drawing._apart([0.2, 0.8], 0.06), [0.2, 0.8])


def test_no_texts_of_a_front_overlap(folder):
    from hebbware.study.plots import pareto

    (panel,) = report.load(folder).panels
    cost = results.COSTS[0]
    canvas = pareto(panel, cost, "validation", panel.points)  # all of them: no room for each
    canvas.draw_without_rendering()
    boxes = [text.get_window_extent() for text in canvas.axes[0].texts]
    assert len(boxes) > 4
    for n, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:n])


# -- the page ---------------------------------------------------------------------------------


def test_page_is_well_formed_and_needs_no_network(made):
    text = (made.folder / "index.html").read_text()
    root = ElementTree.fromstring(text)  # it is XML besides
    assert root.findtext("head/title") == "A <made> study"
    assert not re.search(r"https?:|//[a-z]|url\(|@import", re.sub(r'base64,[^"]*', "", text))
    assert "default-src 'none'" in text
    for element in root.iter():
        for name in ("src", "href"):
            assert element.get(name, "data:").startswith(
                ("data:image/svg+xml;base64,", "data:", "#")
            )
    assert not list(root.iter("link"))
    identifiers = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(set(identifiers)) == len(identifiers)


def test_page_says_all(made):
    root = ElementTree.parse(made.folder / "index.html").getroot()
    text = " ".join(" ".join(root.itertext()).split())
    for part in (
        "55 done, 1 failed, 1 not run, of 57",
        f"code version {CODE}",
        "digits, SHA-256 dddddddddddddddd",
        "seeds 0, 1, 2",
        "numpy ",
        "62.73 ± 0.83",  # 8 bits, nearest
        "ValueError: it <broke> & fell",
        "estimate",
    ):
        assert part in text, part
    tables = {table.get("id"): table for table in root.iter("table")}
    assert len(list(tables["weights-settings"].iter("tr"))) == 1 + 9 + 1 + 9
    assert len(list(tables["weights-runs"].iter("tr"))) == 1 + 25 + 3 + 27
    assert len(list(tables["failed-runs"].iter("tr"))) == 2
    assert len(list(root.iter("img"))) == 5


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_tables_sort_in_a_browser(made, tmp_path):
    """Click a head twice in a real browser and read the column back."""
    text = (made.folder / "index.html").read_text()
    click = """<script>
const head = document.querySelectorAll("#weights-settings thead th")[4].querySelector("button");
head.click();
head.click();
document.body.dataset.loaded = Array.from(document.images).every(i => i.naturalWidth > 100);
</script></body>"""
    page = tmp_path / "page.html"
    page.write_text(
        text.replace("<script>", "<script>window.onload = null;", 1).replace("</body>", click)
    )
    result = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-sync", "--dump-dom"),
            *("--virtual-time-budget=5000", f"--user-data-dir={tmp_path / 'profile'}"),
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    table = re.search(r'<table id="weights-settings".*?</table>', result.stdout, re.S)
    assert table, result.stderr[-500:]
    assert 'aria-sort="descending"' in table[0]
    rows = re.findall(r"<tr>(<td.*?)</tr>", table[0])
    column = [float(re.findall(r"<td.*?>(.*?)</td>", row)[4]) for row in rows]
    assert len(column) == 19
    assert column == sorted(column, reverse=True)
    assert column != sorted(column)
    assert 'data-loaded="true"' in result.stdout


# -- what is refused --------------------------------------------------------------------------


def refused(capsys, tmp_path, message, *arguments):
    """Bad input: code 2, one line that says what, and no file made."""
    before = sorted(tmp_path.rglob("*"))
    assert main.main(["report", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert sorted(tmp_path.rglob("*")) == before


def test_no_such_folder(capsys, tmp_path):
    refused(capsys, tmp_path, "no results folder", tmp_path / "none")


def test_a_file_in_the_place_of_the_folder(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    refused(capsys, tmp_path, "Not a directory", tmp_path / "file")


def test_no_results(capsys, tmp_path):
    (tmp_path / "other.json").write_text("{}")
    refused(capsys, tmp_path, "no results in", tmp_path)


def test_several_code_versions(capsys, tmp_path):
    study(tmp_path / "a")
    study(tmp_path / "b", "f" * 16, linear=False)
    for path in (tmp_path / "b").glob("*.json"):
        shutil.copy(path, tmp_path / "a")
    message = f"several code versions: {CODE} (56 runs), {'f' * 16} (53 runs)"
    refused(capsys, tmp_path, message, tmp_path / "a")
    refused(capsys, tmp_path, "no results of code version 77", tmp_path / "a", "--code", "77")
    assert main.main(["report", str(tmp_path / "a"), "--code", CODE]) == 0
    assert (tmp_path / "a/report/index.html").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is no result"),
        (b'{"key": {}}', "it lacks"),
        (b"[]", "is no result"),
        (b"\xff", "is no result"),
    ],
)
def test_damaged_result(capsys, tmp_path, content, message):
    study(tmp_path)
    (tmp_path / f"{'0' * 32}.json").write_bytes(content)
    refused(capsys, tmp_path, message, tmp_path)


def test_damaged_plan(capsys, tmp_path):
    study(tmp_path)
    (tmp_path / "specs/made.json").write_text('{"parts": [{}]}')
    refused(capsys, tmp_path, "is no plan", tmp_path)


def test_no_plan(capsys, tmp_path):
    study(tmp_path)
    shutil.rmtree(tmp_path / "specs")
    refused(capsys, tmp_path, "asks for any result", tmp_path)


def test_all_failed(capsys, tmp_path):
    store = Store(tmp_path, CODE)
    plan(
        store,
        ["memory.horizon"],
        [[store.write(failed(key(s, memory__horizon=h)))] for s, h in ((0, 7), (0, 9))],
    )
    refused(capsys, tmp_path, "all 2 runs", tmp_path)


def test_output_is_a_file(capsys, tmp_path, monkeypatch):
    study(tmp_path)
    monkeypatch.setattr(report, "render", lambda *_: pytest.fail("the work was begun"))
    (tmp_path / "file").write_text("kept")
    refused(capsys, tmp_path, "cannot write", tmp_path, "--output", tmp_path / "file")
    refused(capsys, tmp_path, "cannot write", tmp_path, "--output", tmp_path / "file/below")
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_output_cannot_be_written(capsys, tmp_path):
    study(tmp_path)
    (tmp_path / "closed").mkdir(0o500)
    refused(capsys, tmp_path, "Permission denied", tmp_path, "--output", tmp_path / "closed/new")


def test_full_disk_leaves_the_older_report(tmp_path, monkeypatch):
    command.write_folder(tmp_path / "new", {"figures/a.png": b"old", "index.html": b"old"})
    write, left = type(tmp_path).write_bytes, [1]

    def full(path, content):
        if not left.pop():
            raise OSError(28, "No space left on device")
        left.append(0)
        return write(path, content)

    monkeypatch.setattr(type(tmp_path), "write_bytes", full)
    files = {"figures/a.png": b"new", "index.html": b"new"}
    for target in ("new", "other/fresh"):
        left[:] = [1]
        with pytest.raises(command.InputError, match="No space left"):
            command.write_folder(tmp_path / target, files)
    assert {path.name for path in tmp_path.rglob("*")} == {"new", "figures", "a.png", "index.html"}
    assert (tmp_path / "new/figures/a.png").read_bytes() == b"old"


def test_other_files_of_the_folder_stay(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/mine.png").write_bytes(b"mine")
    command.write_folder(tmp_path, {"figures/a.png": b"new", "index.html": b"new"})
    assert {path.name for path in tmp_path.rglob("*")} == {
        "figures",
        "mine.png",
        "a.png",
        "index.html",
    }
