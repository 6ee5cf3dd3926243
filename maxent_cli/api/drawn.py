"""The law that draws are from, and the network as they read it."""

import json

from maxent_cli.api.draws import Draws
from maxent_cli.api.networks import Network, Reader
from maxent_cli.errors import InputError
from maxent_cli.interpret.law import LawSettings

_OF_NETWORK = "give the --model that they were drawn with"


def law_of(draws: Draws, network: Network) -> LawSettings:
    """The law that was drawn from. Raises InputError where the draws do not say, or are of another network."""
    law, cure = draws.header.get("law", {}), f"give draws that `maxent sample` wrote; {_OF_NETWORK}"
    if draws.header.get("model") and draws.header["model"] != json.loads(json.dumps(network.digest)):
        raise InputError(draws.path, "", f"were drawn with another network than {network.name}", _OF_NETWORK)
    if not len(draws):
        raise InputError(draws.path, "", "holds no anchor", "give draws around some")
    if "hold" in law:
        raise InputError(draws.path, "", "were drawn while another output was held", "give draws without that")
    try:
        outputs = tuple(tuple((int(at), float(weight)) for at, weight in one) for one in law["outputs"])
        a, c, g, t = map(float, law["background"])
        held = {name: law[name] for name in ("tether", "beta")} | {"mu": float(law.get("mu", 0)), "kind": draws.law}
        return LawSettings(outputs, (a, c, g, t), **held, to=law.get("to"))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(draws.path, "header", "says no law", cure) from error


def reader_of(draws: Draws, network: Network) -> Reader:
    """The network for the draws' length, with the representation that their law holds."""
    length, reading = len(draws.letters(0)), draws.header.get("reading")
    layer = reading.get("layer") if isinstance(reading, dict) else None
    if network.input_length not in (None, length):
        problem = f"its anchors have {length} letters, and {network.name} reads {network.input_length}"
        raise InputError(draws.path, "", problem, _OF_NETWORK)
    model = network.reader(length, None if layer == network.reading.layer else layer)
    law = draws.header["law"]["outputs"]
    if max(number for one in law for number, _ in one) >= model.outputs:
        raise InputError(draws.path, "", f"their law holds outputs that {network.name} has not", _OF_NETWORK)
    return model
