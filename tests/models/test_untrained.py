import pytest
import torch
from torch import nn

from maxent_cli.models.architectures import ARCHITECTURES, build
from maxent_cli.models.untrained import with_fresh_weights


def trained(model: nn.Module) -> nn.Module:
    """A network whose every weight has moved."""
    with torch.no_grad():
        for value in [*model.parameters(), *model.buffers()]:
            value += torch.rand_like(value) if value.is_floating_point() else 0
    return model.eval()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weights_are_drawn_anew_and_the_network_is_left_as_it_was(name: str) -> None:
    model = trained(build(name, 80, {}, 1))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.random.get_rng_state()
    first, again, other = (with_fresh_weights(model, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(state, torch.random.get_rng_state())
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])
        assert torch.equal(first[key], again[key])
        if value.dim() > 1:
            assert not torch.equal(first[key], other[key])
            assert first[key].std() < value.std()
    assert not with_fresh_weights(model, 1).training


def test_normalisation_and_attention_begin_as_torch_has_them() -> None:
    model = trained(nn.Sequential(nn.BatchNorm1d(4), nn.MultiheadAttention(4, 2), nn.LSTM(4, 3), nn.Embedding(5, 4)))
    fresh = with_fresh_weights(model, 1)
    assert torch.equal(fresh[0].weight, torch.ones(4))
    assert torch.equal(fresh[0].running_mean, torch.zeros(4))


def test_weights_that_nobody_draws_are_refused() -> None:
    model = nn.Sequential(nn.Linear(3, 3))
    model.register_parameter("own", nn.Parameter(torch.tensor([1.0, 2.0])))
    with pytest.raises(ValueError, match="own is no weight"):
        with_fresh_weights(model, 1)
