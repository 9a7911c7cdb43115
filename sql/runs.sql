-- Every run: study, status, seconds, rows, seed, and why it was selected or the run failed.
select
    run_id,
    study,
    status,
    round(epoch(ended_at - started_at), 1) as seconds,
    rows_read,
    seed,
    previous_run_id,
    coalesce(error, chosen_because) as said
from results.runs
order by number desc
