"""The tables that `maxent periodicity` writes."""

from maxent_cli.tables.columns import CONVERGENCE, RECORD
from maxent_cli.tables.schema import NUMBER, SHARE, TEXT, TRUTH, WHOLE, Column, File, Table, estimate

BAND = (9.5, 11.0)  # bp, about the 10.2 of DNA's turn on a nucleosome
_IN_BAND = f"{BAND[0]:g}-{BAND[1]:g} bp"
_STRAIGHT = "the profile is a straight line"
_FREE = f"{_STRAIGHT}, or the spectrum is free of phase"
_SOURCE = Column(
    "source", TEXT, "", "Whose spectrum: draws, their phase-free one, the anchor's, or the background's (beta = 0)."
)
ANSWER = Table(
    "answer.tsv",
    "a source",
    f"share of anchors that peak at {_IN_BAND}, and the mean spectrum's peak, by source",
    (
        _SOURCE,
        Column("anchors", WHOLE, "", "Anchors that were looked at."),
        Column("in_band", WHOLE, "", f"Anchors whose spectrum is highest at {_IN_BAND}."),
        Column("share", SHARE, "", "Their share."),
        Column("low", SHARE, "", "Lower end of its 95 % interval over anchors (Wilson)."),
        Column("high", SHARE, "", "Upper end of that interval."),
        Column("chance", SHARE, "", "Share of backgrounds drawn anew that peak there by chance."),
        *estimate("period", "bp", "Period at which the mean spectrum is highest.", _STRAIGHT),
        *estimate("height", "", "Power there over the median between 5 and 20 bp.", _STRAIGHT),
    ),
    key=("source",),
)
PEAKS = Table(
    "peaks.tsv",
    "an anchor and a source",
    "period, height, swing, phase of each anchor's highest point, with errors",
    (
        RECORD,
        *CONVERGENCE,
        _SOURCE,
        Column("in_band", TRUTH, "", f"Whether the spectrum is highest at {_IN_BAND}."),
        *estimate("period", "bp", "Period at which the anchor's spectrum is highest.", _STRAIGHT),
        *estimate("height", "", "Power there over the median between 5 and 20 bp.", _STRAIGHT),
        *estimate("swing", "", "Share by which the profile rises and falls about its mean with that period.", _FREE),
        *estimate("phase", "bp", "Distance of the nearest maximum from the anchor's middle.", _FREE),
    ),
    key=("record", "source"),
)
SPECTRA = Table(
    "spectra.tsv",
    "a period of an anchor",
    "power of each anchor by source, a period a line",
    (
        RECORD,
        Column("period", NUMBER, "bp", "The period."),
        Column("draws", NUMBER, "", "Power of the profile of the draws."),
        Column("phase_free", NUMBER, "", "Mean power of single draws, which sees a period that keeps no place."),
        Column("anchor", NUMBER, "", "Power of the anchor itself."),
        Column("beta_0", NUMBER, "", "Power of as many draws from the background."),
        *CONVERGENCE,
    ),
    key=("record", "period"),
)
FOLDER = (
    ANSWER,
    PEAKS,
    SPECTRA,
    File("periodicity.png", "mean spectra, where anchors peak, and the profile of one anchor"),
)
