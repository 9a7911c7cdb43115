-- Every row of both files is in silver or counted once in the rejections, and gold has silver's.
with
counted as (
    select
        (select count(*) from {{ ref('bronze_automobile_labelled') }})
        + (select count(*) from {{ ref('bronze_automobile_unlabelled') }}) as bronze_count,
        (select count(*) from {{ ref('silver_automobile_prospects') }}) as silver_count,
        (select count(*) from {{ ref('gold_automobile_prospects') }})
        + (select count(*) from {{ ref('gold_automobile_unlabelled') }}) as gold_count,
        (select sum(row_count) from {{ ref('silver_automobile_rejections') }}) as rejected_count
)

select * from counted
where bronze_count <> silver_count + rejected_count or gold_count <> silver_count
