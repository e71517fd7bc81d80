"""How people and programs reach an agent: command line, REPL, report, MCP, LangChain. Thin shells, imported by nobody inside.

`registry` says what a command is, `commands` is the one table of them, `session` holds what they share. `cli` and `repl`
turn the table into two surfaces for people, `mcp_server` and `langchain` into tools for programs; `llamaindex` retrieves only.
`render` and `report` draw results for a terminal and a browser; `quotes` re-reads what an answer cites.
"""
