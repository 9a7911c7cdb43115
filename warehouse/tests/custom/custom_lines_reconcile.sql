{{ config(enabled=var('custom_table', '') != '') }}

-- Every line of the log is a sale, a return or rejected, once.
with
counted as (
    select
        (select count(*) from {{ ref('bronze_custom_lines') }}) as bronze_count,
        (select count(*) from {{ ref('silver_custom_sales') }}) as sale_count,
        (select count(*) from {{ ref('silver_custom_returns') }}) as return_count,
        (
            select sum(row_count) from {{ ref('silver_custom_rejections') }}
            where entity = 'line'
        ) as rejected_count
)

select * from counted
where bronze_count <> sale_count + return_count + rejected_count
