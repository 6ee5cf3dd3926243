"""A process of its own: steps with tensors on a device that this machine has not, which have shapes and no numbers.

It says of each whether replay.Refusing lets it pass; where an array is brought from the CPU, it must not.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1])]
_setup_privateuseone_for_python_backend()

from test_gathering import LADDER, LENGTH, LOOK, MOVES, NO_CG, around, begin  # noqa: E402

from maxent_cli.engine import placed, support  # noqa: E402
from maxent_cli.engine.batch import Batch, Batched, batch_of, stepped  # noqa: E402
from maxent_cli.engine.gathering import _Asked, _together  # noqa: E402
from maxent_cli.engine.replay import NotCapturedError, Refusing  # noqa: E402

DEVICE = torch.device("privateuseone", 0)


def here(*constraints: object) -> tuple[Batched, Batch]:
    """Three anchors with these constraints, on the CPU."""
    targets = [around(number, constraints=constraints) for number in range(3)]
    asked = [_Asked.of(begin(one, n), one, 1, 9, (MOVES, LADDER)) for n, one in enumerate(targets)]
    slots = max(one.slots for one in asked)
    made = batch_of([one.part for one in asked], targets, [9] * 3, LADDER.every, slots)
    return _together([one.chains for one in asked]), made


def there(value: object) -> object:
    """Tensors of the same shapes and kinds on the device."""
    if isinstance(value, Tensor):
        return torch.empty(value.shape, dtype=value.dtype, device=DEVICE)
    if isinstance(value, tuple):
        made = [there(one) for one in value]
        return type(value)(*made) if hasattr(value, "_fields") else tuple(made)
    return value


def passes(given: tuple[Batched, Batch]) -> str:
    """What becomes of a step of these chains on the device."""
    chains, batch = there(given)  # type: ignore[misc]
    if batch.constraints is not None:  # as the first plain step does
        batch.constraints(torch.zeros(1, LENGTH, dtype=torch.uint8, device=DEVICE))
    try:
        with Refusing():
            stepped(chains, batch, torch.empty(len(chains.step), device=DEVICE))
    except NotCapturedError:
        return "refused"
    return "captured"


with torch.inference_mode():
    PLAIN, CONSTRAINED = here(), here(NO_CG)
with FakeTensorMode(allow_non_fake_inputs=True):
    for module in LOOK.model.modules():
        for name, value in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(there(value), requires_grad=False))  # type: ignore[arg-type]
    with torch.inference_mode():
        print("plainly:", passes(PLAIN))
        print("with constraints:", passes(CONSTRAINED))
        assert support.placed is placed.placed
        support.placed = lambda values, device: torch.from_numpy(values).to(device)  # type: ignore[assignment]
        print("brought:", passes(CONSTRAINED))
