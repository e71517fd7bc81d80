"""The distilled student: a small transformer that reads a question beside numbered pieces of evidence and points.

It says what is done with the evidence (the operation), which pieces are used and in which order (the rationale), where in
them the answers stand, or that they are not there. It only points, so it cannot invent a name. `items` is what goes in and
comes out, `inputs` the tokens, `network` and `train` the torch side, `student` the packaged form that answers.
"""

from .items import OPERATIONS, Item, Mention, Reading, Spot, Target, Task
from .student import Student

__all__ = ["OPERATIONS", "Item", "Mention", "Reading", "Spot", "Student", "Target", "Task"]
