"""A small student for one graph, distilled on two cores without anybody being asked: `hoptrace distill --kg DIR`.

graph, evidence, tasks   questions of all operations mined from the graph, facts beside them that mislead, edits
facts                    questions in formal form, and `execute`: what a question comes to over some facts
asking, longtail         operations in words; rare things to ask about
teachers, trim           chains of steps, each executed again; outliers cut
students, causal         what can be trained: the packaged architecture, or a causal language model on disk (markers)
score, card, run         answers out of readings, figures side by side, and the run that goes on where it was killed
trained, composer        the student bound to its graph, and as a composer of the agent
audit, regression        whether a graph is worth it; what people taught as tasks
relations                a loss that passes on how a larger reader relates tokens

>>> import tempfile
>>> from hoptrace import KnowledgeGraph
>>> from hoptrace.agents.distill.graph import value_kind
>>> with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(folder) as kg:
...     value_kind(kg.add("Brightwater Labs", "founded in", 2011))
'date'
"""
