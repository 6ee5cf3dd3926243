import numpy as np
import pytest

from analysis.planted import matrix, plant
from maxent_cli.analysis.occupancy import MotifProbe, find_sites
from maxent_cli.analysis.sites import letters_of
from maxent_cli.analysis.spacing import Spacings

MOTIFS = [matrix("CCATAGGAACG"), matrix("TGACGTTCTGA")]
PROBES = [MotifProbe(np.log2(motif / 0.25), 10.0) for motif in MOTIFS]


def preferences(anchors, pair, **given):
    spacings = Spacings(60)
    for seed in range(anchors):
        letters = letters_of(plant(seed, MOTIFS, **given).samples)
        spacings.add(letters, find_sites(letters, PROBES), pair, (PROBES[pair[0]], PROBES[pair[1]]))
    assert spacings.anchors == anchors
    return spacings.preferences()


@pytest.mark.parametrize("anchors", [2, 12])
def test_a_fixed_spacing_is_found_and_no_other(anchors):
    found = preferences(anchors, (0, 1), gap=6)
    assert [(one.arrangement, one.distance) for one in found if one.q < 0.05] == [("a> b>", 6)]
    assert found[0].share > 0.9
    assert found[0].expected < 0.1


@pytest.mark.parametrize("anchors", [2, 12])
def test_motifs_placed_independently_prefer_no_distance(anchors):
    assert [one for one in preferences(anchors, (0, 1)) if one.q < 0.05] == []


def test_a_motif_beside_itself_is_counted_once():
    spacings = Spacings(60)
    letters = letters_of(plant(1, [MOTIFS[0], MOTIFS[0]], gap=4).samples)
    sites = find_sites(letters, PROBES[:1])
    spacings.add(letters, sites, (0, 0), (PROBES[0], PROBES[0]))
    found = spacings.preferences()
    assert (found[0].arrangement, found[0].distance) == ("a> b>", 4)
    assert sum(one.share for one in found) == pytest.approx(1)


def test_a_motif_that_is_hardly_there_does_not_count():
    spacings = Spacings(60)
    letters = letters_of(plant(1, MOTIFS[:1]).samples)
    spacings.add(letters, find_sites(letters, PROBES), (0, 1), (PROBES[0], PROBES[1]))
    assert spacings.anchors == 0
    assert spacings.preferences() == []
