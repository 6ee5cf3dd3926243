from .architectures import LayeredModel as LayeredModel
from .architectures import build as build
from .prediction import predict as predict
from .protocol import SequenceModel as SequenceModel
from .protocol import one_hot as one_hot
from .training import Examples as Examples
from .training import Settings as Settings
from .training import fit as fit
