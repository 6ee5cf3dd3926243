"""How requests are said as options: what of them is not as by default, by the names that options have."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from maxent_cli.errors import SettingsError
from maxent_cli.interpret.law import Law
from maxent_cli.interpret.sampling import MOVES, PRESETS, Sampling

Said = dict[str, Any]  # the value of each option, by its name without dashes

NAMES = {"held": "law", "site_rate": "rate"}  # of options that are not called as the field is
NO_OPTION = ("presence", "rate")  # fields of a calling that have none
OTHERWISE = {"fresh-shuffles": "fixed-shuffles"}  # what says no, where it is not no-


def said(request: Any, default: Any, lacks: Iterable[str] = ()) -> Said:
    """Fields of a request that differ from those of a default one, as options have them; lacks: fields passed over."""
    found = Said()
    for name in (field.name for field in fields(request) if field.name not in lacks):
        value = getattr(request, name)
        if value is not None and value != getattr(default, name):
            found[NAMES.get(name, name.replace("_", "-"))] = _plain(value)
    return found


def said_of_law(law: Law, tether: Any = "auto") -> Said:
    """A law; tether: the command's own default."""
    found = said(law, Law(), lacks=("tether",))
    return found if law.tether == tether else found | {"tether": "none" if law.tether is None else law.tether}


def said_of_sampling(sampling: Sampling) -> Said:
    """How it is drawn: the preset that is nearest, and what differs from it."""
    asked = {name: said(sampling, preset) for name, preset in PRESETS.items()}
    name = min(asked, key=lambda each: len(asked[each].keys() - {"seed", "device"}))
    found = ({} if PRESETS[name] == Sampling() else {"preset": name}) | asked[name]
    if "moves" in found:
        known = [word for word, moves in MOVES.items() if moves == sampling.moves]
        if not known:
            raise SettingsError("moves", "", "are none that an option names", f"give {' or '.join(MOVES)}")
        found["moves"] = known[0]
    return found


def words(asked: Said) -> list[str]:
    """Options as words of a command line."""
    return [word for name, value in asked.items() for word in _words(name, value)]


def toml(sections: Mapping[str, Said]) -> str:
    """Sections of options as `--config` reads them; those without any are left out."""
    blocks = [
        "".join([f"[{name}]\n", *(f"{option} = {_toml(value)}\n" for option, value in asked.items())])
        for name, asked in sections.items()
        if asked
    ]
    return "\n".join(blocks)


def _plain(value: Any) -> Any:
    """As TOML can say it; mappings as JSON."""
    if isinstance(value, Mapping):
        return json.dumps(dict(value))
    return list(value) if isinstance(value, tuple) else value


def _words(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name if value else OTHERWISE.get(name, f'no-{name}')}"]
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return [f"--{name}={text}"] if text.startswith("-") else [f"--{name}", text]


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
