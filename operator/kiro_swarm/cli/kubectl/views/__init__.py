"""What ``kubectl swarm`` shows: pure functions from object dicts to rich renderables or text.

Called by the commands of ``kubectl swarm``, which fetch, print and own clock and console.
Import a view from its module, so that completion does not pay for rich. Objects are dicts
as the API server returns them; status and any field may be missing. ``now`` is an aware
datetime. Print a table with ``console.print(view, soft_wrap=True)``: it fits a terminal's
width by itself and is not cut where the output is no terminal.

=====================  ============================================================
module                 functions
=====================  ============================================================
swarms                 swarms_table(swarms, wide=False, *, now)
tasks                  tasks_tree(swarm, tasks, wide=False, *, now)
instances              instances_table(swarm, instances, tasks, wide=False, *, now)
commands               commands_table(commands, wide=False, *, now)
dashboard              dashboard(swarm, instances, tasks, commands, now)
graph                  graph_terminal(tasks, width=80)
graph_text             graph_mermaid(tasks) -> str, graph_dot(tasks) -> str
timeline               timeline_terminal(swarm, tasks, now, width=80)
timeline_svg           timeline_svg(swarm, tasks, now) -> str
top                    top_table(instances, pods, metrics, tasks, now)
events                 events_table(events, now)
diff                   diff_text(text)
explain                explain_text(data)
attach                 open_text(instance, swarm, pod, *, context="")
audit                  audit_table(records)
=====================  ============================================================

Every text of the cluster is cleaned of terminal control sequences (``text.clean``) and
never read as rich markup. Colours are rich styles, so the console decides about them.
"""
