"""Memory images of an export, read by ``$readmemh``: the emitted core computes with them."""

import re
import shutil
import subprocess

import numpy as np
import pytest

from hebbware.cosim.second import ICARUS
from hebbware.golden.config import CoreConfig
from hebbware.golden.core import Core
from hebbware.golden.estimate.estimate import start_clocks
from hebbware.golden.export.images import weight_images
from hebbware.golden.program.layout import Layout
from hebbware.hdl import emit

CONFIG = CoreConfig.of((3, 10, 4, 2), lanes=9, formats__weight_bits=11)  # two clusters of lanes
BENCH = """
module bench;
  reg clk = 0, rst = 1, valid = 0;
  reg [7:0] word;
  reg [7:0] words [0:COUNT - 1];
  wire ready, out;
  wire signed [15:0] result;
  integer n;
  hebbware_core core(
    .clk(clk), .rst(rst), .samples__valid(valid), .samples__payload(word), .samples__ready(ready),
    .results__valid(out), .results__payload(result), .results__ready(1'b1),
    .commands__valid(1'b0), .responses__ready(1'b1));
  always #1 clk = !clk;
  always @(negedge clk) if (out) $display("%0d", result);
  initial begin
    $readmemh("words.mem", words);
    repeat (4) @(negedge clk);
    rst = 0;
    repeat (START) @(negedge clk);
    READS
    for (n = 0; n < COUNT; n = n + 1) begin
      word = words[n];
      valid = 1;
      #0 while (!ready) @(negedge clk);
      @(negedge clk);
    end
    valid = 0;
    repeat (500) @(negedge clk);
    $finish;
  end
endmodule
"""


@pytest.mark.skipif(not shutil.which(ICARUS), reason="Icarus is not on PATH")
def test_core_computes_with_the_images(tmp_path):
    generator = np.random.default_rng(0)
    core = Core(CONFIG)
    low, high = CONFIG.weight.min, CONFIG.weight.max
    core.weights = [generator.integers(low, high, w.shape, endpoint=True) for w in core.weights]
    x = generator.integers(0, 256, (6, 3))
    verilog = emit.core_verilog(CONFIG)
    (tmp_path / "core.v").write_text(verilog)
    reads, last = [], Layout(CONFIG).weight_bases[-1] - 1
    for number, (path, text) in enumerate(
        zip(places(verilog), weight_images(CONFIG, core.weights), strict=True)
    ):
        (tmp_path / f"weights_{number}.mem").write_text(text)
        reads.append(f'$readmemh("weights_{number}.mem", core.{path}.words, 0, {last});')
    words = np.concatenate([np.append(row, 255) for row in x])  # 255: infer only
    (tmp_path / "words.mem").write_text("\n".join(f"{word:02x}" for word in words))
    facts = {
        "COUNT": len(words),
        "START": start_clocks(CONFIG) + 8,
        "READS": "\n    ".join(reads),
    }
    bench = re.sub("|".join(facts), lambda found: str(facts[found[0]]), BENCH)
    (tmp_path / "bench.v").write_text(bench)
    for command in (["iverilog", "-g2005", "-o", "bench", "bench.v", "core.v"], ["vvp", "bench"]):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr, (
        "an image has not as many words as the memory"
    )
    found = np.array(done.stdout.split(), int).reshape(len(x), -1)
    classes, scores = core.infer_many(x)
    np.testing.assert_array_equal(found, np.column_stack([classes, scores]))


def places(verilog):
    """Where the arrays of the weight memory are, first cluster first, as docs/export.md says."""
    modules = [part for part in verilog.split("endmodule\n") if ".weights" in part[:200]]
    banks = [part for part in modules if re.search(r"^  reg .* words \[", part, re.MULTILINE)]
    instance = re.search(r"^  \\hebbware_core\.weights\S*  (\S+ ?) \($", verilog, re.MULTILINE)[1]
    return [f"{instance}.ram.\\{re.search(r'U.[0-9]+', part)[0]} " for part in banks]
