"""The pure core, without clock, network or chance: a state, one input, the instant; the next state and what to emit.

Reading path: `step` (the one door), `waking` and `judging` (law 5 as a list of rules), `alarms` (when to look again),
`release`; then what changes a state: `lifecycle`, `customers`, `payments`, `receipts`, `requests`, `erasure`. `windows`
stands on `calendar` and `zones`; `fences` are a function of the state; `policy` is data; `explain` and `upcoming` read.
"""
