-- Every line of bronze is in silver or counted once in the rejections.
with
counted as (
    select
        (select count(*) from {{ grocery_source('transactions') }}) as bronze_count,
        (select count(*) from {{ ref('silver_grocery_transactions') }}) as silver_count,
        (
            select sum(row_count) from {{ ref('silver_grocery_rejections') }}
            where left_out_of = 'silver.grocery_transactions'
        ) as rejected_count
)

select * from counted
where bronze_count <> silver_count + rejected_count
