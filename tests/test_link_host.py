"""The host's side of the link against the simulated board: the gateware, UART included."""

import pytest

from hebbware.boards.host.board import Board, open_port
from hebbware.boards.simulated.board import SimulatedBoard
from hebbware.golden.config import CoreConfig

CONFIG = CoreConfig(layers=(20, 6, 5, 3), lanes=4, seed=3)


@pytest.fixture(scope="module")
def port():
    with SimulatedBoard(CONFIG, quick=True, buffer=128) as simulated:
        yield simulated.port


@pytest.fixture
def board(port):
    line = open_port(port)
    yield Board(line, CONFIG, name=port)
    line.close()


def test_board_says_what_it_is(board):
    assert board.identity.fingerprint == CONFIG.fingerprint
    assert (board.identity.inputs, board.identity.classes) == (20, 3)
    assert board.identity.buffer == 128
