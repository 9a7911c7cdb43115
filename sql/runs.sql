-- Every run: study, status, seconds, rows, seed, and why it was selected, failed or waits.
-- Empty: nothing has run yet; python scripts/run_clustering.py does.
with

-- Runs whose results lie beside the warehouse while another process holds it.
waiting as (
    select
        unnest(
            cast(
                getvariable('waiting')
                as struct(run_id varchar, study varchar, status varchar, said varchar)[]
            ),
            recursive := true
        )
),

shown as (
    select
        coalesce(runs.run_id, waiting.run_id) as run_id,
        coalesce(runs.study, waiting.study) as study,
        coalesce(waiting.status, runs.status) as status,
        round(epoch(runs.ended_at - runs.started_at), 1) as seconds,
        runs.rows_read,
        runs.seed,
        runs.previous_run_id,
        coalesce(waiting.said, runs.error, runs.chosen_because) as said,
        runs.number
    from results.runs
    full outer join waiting on runs.run_id = waiting.run_id
)

select * exclude (number)
from shown
order by number desc nulls first, run_id desc
