with
checked_lines as (select * from {{ ref('silver_grocery_checked_lines') }}),

customers as (select * from {{ ref('silver_grocery_customers') }}),

reasons as (
    select
        customer_id,
        rejection_reason as main_reason,
        count(*) as line_count
    from checked_lines
    where rejection_reason is not null and customer_id is not null
    group by customer_id, rejection_reason
),

rejected as (
    select reasons.*
    from reasons
    left join customers on reasons.customer_id = customers.customer_id
    where customers.customer_id is null
),

ranked as (
    select
        customer_id,
        main_reason,
        cast(sum(line_count) over (partition by customer_id) as bigint) as line_count,
        row_number() over (
            partition by customer_id order by line_count desc, main_reason asc
        ) as place
    from rejected
)

select
    customer_id,
    main_reason,
    line_count
from ranked
where place = 1
