"""Deciding and answering: one question is one stream of typed steps, and its answer is checked before it leaves.

agent          Agent, what users hold: `ask` and `stream`
config         a few dials of a graph, hoptrace.toml
telemetry      a span and a log line for each question, without its words
many           questions awaited in an event loop, or many side by side
loop, steps    link -> read -> gate -> retrieve -> compose -> verify -> write -> answer, each step a value
gate           whether to retrieve, read passages too, answer from memory, or abstain, and why
pool, acting   the experts that may answer, each with a price; engaging them while that pays; fusion: what they come to together
utility        how a gate learns that, with calibrate and outcomes; train_gate: on a graph; testbed: on a tiny world
gate_report    what its choices came to, beside what any choice could have; frontier: what a budget of retrievals buys
failures       experts that fail, left aside
experts/       the memory of a graph, and tools for a pool of experts; recall: answers from memory; opinion: beliefs combined
editing        whether edits of facts reach the answers; overshadow: which errors threaten rare conditions
compose        answers from paths alone; chat: from any langchain-core chat model under the same checks
connection     "how are A and B connected?", by exact search
reading        answers read in passages, step by step, where the graph has none; student/ points at them
verify         every cited span re-read from the store
guidance       rules that a graph holds as facts; profiles: what is known about one person, firm or machine, cited, not stored
advice         which states hold of a profile and what they call for; counsel: that in words
consult        advice and the questions about it (followups reads them); quantities: numbers with units, exact
writer/        the sentence that a user reads, from verified facts; predicates: relation labels as English
whynot         why something else is not the answer: the best rejected path, and what it lost by
answer         Answer, Citation, Claim, Route, Usage
values, wording  numbers and days that compare; facts as sentences
evaluate       questions with known answers
walker         a chat model walks the graph and keeps its decisions
feedback       what people said of answers, as questions for the gate
corrections    what people taught and corrected, as questions that are asked again
distill/       a small student for one graph
llm_extractor  triples from text by a chat model, quotes located or dropped
interfaces/    command line, REPL, HTML report; imported by nobody

>>> import tempfile
>>> from hoptrace import Agent, KnowledgeGraph
>>> with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(folder) as kg:
...     _ = kg.add("Orla Vance", "founded", "Brightwater Labs")
...     answer = Agent(kg).ask("Who founded Brightwater Labs?")
...     print(answer.text, answer.citations[0].verified)
Brightwater Labs was founded by Orla Vance [1]. True
"""
