"""The words that options choose among; light, so that help can tell them. What each names is made where it belongs."""

ARCHITECTURES = {  # functions of models.architectures, and what each is
    "convnet": "two short convolutions with pooling",
    "finnegan2017": "as published, no pooling",
    "deepmotif-cnn": "of the Deep Motif Dashboard",
    "deepmotif-rnn": "its LSTM",
    "deepmotif-cnn-rnn": "both",
    "nucleosome": "two convolutions with little pooling",
    "residual": "after BPNet, dilated convolutions that add to what they read",
}
METHODS = (
    "saliency",
    "input-x-gradient",
    "deeplift",
    "integrated-gradients",
    "mutagenesis",
    "prefix",
)  # interpret.attribution
PRESETS = ("quick", "standard", "thorough", "published")  # of interpret.sampling
PICTURES = ("png", "svg", "pdf", "none")  # formats of logos and maps
