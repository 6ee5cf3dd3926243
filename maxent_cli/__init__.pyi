from .api.anchors import Anchors as Anchors
from .api.anchors import anchors as anchors
from .api.draws import Draws as Draws
from .api.draws import open_draws as open_draws
from .api.examining import doctor as doctor
from .api.networks import Network as Network
from .api.networks import network as network
from .api.sampling import sample as sample
from .errors import InputError as InputError
from .interpret.law import Law as Law
from .interpret.sampling import Sampling as Sampling

__version__: str
