-- Whether the partitions of a study behave alike, in one sentence with the figures it rests on.
-- Empty: the study's newest run has no partitions to compare; grocery_lifestages has.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), 'grocery_lifestages')

)

select
    compared.verdict,
    round(compared.balanced_accuracy, 3) as balanced_accuracy,
    round(compared.by_chance, 3) as by_chance,
    round(compared.resemblance, 3) as resemblance,
    compared.rows as row_count,
    compared.sentence
from results.partition_comparison as compared
inner join latest_run on compared.run_id = latest_run.run_id
