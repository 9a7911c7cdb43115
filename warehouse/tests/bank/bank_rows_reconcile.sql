-- Every row of bronze is in silver or counted once in the rejections, and gold has silver's rows.
with
counted as (
    select
        (select count(*) from {{ ref('bronze_bank_clients') }}) as bronze_count,
        (select count(*) from {{ ref('silver_bank_clients') }}) as silver_count,
        (select count(*) from {{ ref('gold_bank_clients') }}) as gold_count,
        (select sum(row_count) from {{ ref('silver_bank_rejections') }}) as rejected_count
)

select * from counted
where bronze_count <> silver_count + rejected_count or gold_count <> silver_count
