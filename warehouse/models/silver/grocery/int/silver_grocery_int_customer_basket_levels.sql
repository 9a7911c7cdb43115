with
baskets as (select * from {{ baskets_of('customer') }})

select
    {%- for column, levels in basket_levels().items() %}
    {%- for level in levels %}
    max({{ is_level(column, level) }}) as has_{{ column }}_{{ level_name(level) }},
    avg({{ is_level(column, level) }}) as {{ column }}_{{ level_name(level) }}_share,
    {%- endfor %}
    {%- endfor %}
    customer_id
from baskets
group by customer_id
