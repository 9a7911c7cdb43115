-- Every line of bronze is a sale, a return, one of a cancelled pair or rejected, once; each sale
-- that was cancelled has its cancellation.
with
kinds as (
    select
        count(*) as line_count,
        count(case when kind = 'sale' then 1 end) as sale_count,
        count(case when kind = 'return' then 1 end) as return_count,
        count(case when kind = 'cancelled sale' then 1 end) as cancelled_count,
        count(case when kind = 'cancellation' then 1 end) as cancellation_count
    from {{ ref('silver_online_retail_checked_lines') }}
),

counted as (
    select
        (select count(*) from {{ ref('bronze_online_retail_lines') }}) as bronze_count,
        (select count(*) from {{ ref('silver_online_retail_sales') }}) as sale_count,
        (select count(*) from {{ ref('silver_online_retail_returns') }}) as return_count,
        (
            select sum(row_count) from {{ ref('silver_online_retail_rejections') }}
            where entity = 'line'
        ) as rejected_count
)

select counted.*
from counted
cross join kinds
where
    counted.bronze_count <> counted.sale_count + counted.return_count + counted.rejected_count
    or counted.bronze_count <> kinds.line_count
    or counted.sale_count <> kinds.sale_count
    or counted.return_count <> kinds.return_count
    or kinds.cancelled_count <> kinds.cancellation_count
