with
checked_lines as (select * from {{ ref('silver_online_retail_checked_lines') }}),

-- Eight customers order from two countries: the one with most lines is theirs.
countries as (
    select
        customer_id,
        country,
        row_number() over (
            partition by customer_id order by count(*) desc, country asc nulls last
        ) as place
    from checked_lines
    where customer_id is not null
    group by customer_id, country
),

counts as (
    select
        customer_id,
        count(case when kind = 'sale' then 1 end) as sale_line_count,
        count(case when kind = 'return' then 1 end) as return_line_count,
        count(case when kind = 'cancelled sale' then 1 end) as cancelled_line_count,
        count(rejection_reason) as rejected_line_count
    from checked_lines
    where customer_id is not null
    group by customer_id
),

customers as (
    select
        counts.customer_id,
        countries.country,
        counts.sale_line_count,
        counts.return_line_count,
        counts.cancelled_line_count,
        counts.rejected_line_count
    from counts
    inner join countries on counts.customer_id = countries.customer_id and countries.place = 1
)

select * from customers
