"""Reference code of the book *Attention-LSTM models, step by step*.

Three dialects of one language, the same names in each: `attnlstm_ref.numpy` (float64 equations),
`attnlstm_ref.torch` and `attnlstm_ref.keras` (layers and models). A framework is loaded when its
dialect is imported, so importing this package costs nothing.
"""

__version__ = "0.1.0"
