from .api.anchors import Anchors as Anchors
from .api.anchors import anchors as anchors
from .api.draws import Draws as Draws
from .api.draws import open_draws as open_draws
from .api.examining import doctor as doctor
from .api.networks import Network as Network
from .api.networks import network as network
from .api.prediction import predict as predict
from .api.sampling import sample as sample
from .api.simulation import Plant as Plant
from .api.simulation import simulate as simulate
from .api.training import Training as Training
from .api.training import train as train
from .api.training_data import Split as Split
from .api.training_data import TrainingData as TrainingData
from .errors import InputError as InputError
from .interpret.law import Law as Law
from .interpret.sampling import Sampling as Sampling

__version__: str
