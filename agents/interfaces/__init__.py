"""How people and programs reach an agent: command line, REPL, report, MCP, LangChain. Thin shells, imported by nobody inside.

`registry` says what a command is, `commands` is the one table of them, `session` holds what they share. `cli` and `repl`
turn the table into two surfaces for people, `mcp_server` and `langchain` into tools for programs; `llamaindex` retrieves only.
`render` and `report` draw results for a terminal and a browser; `quotes` re-reads what an answer cites. Behind the prompt:
`shell` does a line, `sitting` is what holds for a sitting, `completion`, `history`, `followon` (questions that lean on the last
one), `opening` (a citation in the reader's own program), `tabular` (rows).
"""
