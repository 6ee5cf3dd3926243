from .analysis.discovery import Calling as Calling
from .api.anchors import Anchors as Anchors
from .api.anchors import anchors as anchors
from .api.comparison import compare as compare
from .api.dependence import dependence as dependence
from .api.draws import Draws as Draws
from .api.draws import open_draws as open_draws
from .api.examining import doctor as doctor
from .api.motifs import motifs as motifs
from .api.networks import Network as Network
from .api.networks import network as network
from .api.periodicity import periodicity as periodicity
from .api.reports import report as report
from .api.results import Results as Results
from .api.sampling import sample as sample
from .errors import InputError as InputError
from .interpret.law import Law as Law
from .interpret.sampling import Sampling as Sampling

__version__: str
from .api.attribution import attribute as attribute
from .api.merging import merge as merge
from .api.origins import provenance as provenance
from .api.probing import Probe as Probe
from .api.probing import gc_probe as gc_probe
